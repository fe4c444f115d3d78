#pragma once

#include <ragstone/base/error.hpp>
#include <ragstone/base/filter.hpp>
#include <ragstone/base/node.hpp>
#include <ragstone/index/index.hpp>
#include <ragstone/index/metric.hpp>
#include <ragstone/index/term_weight.hpp>
#include <ragstone/store/text_query.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

namespace ragstone {

/// The largest inner products with the vectors of a sparse column that was given, not counted: learned sparse
/// embeddings (SPLADE and the like), as in Milvus' SPARSE_INVERTED_INDEX with metric IP.
class SparseMember {
 public:
  SparseMember() = default;

  std::string key;
  std::string signature;          ///< See TermSearch.
  std::vector<TermWeight> terms;  ///< Ascending and unique, with finite weights above 0.
};

/// Nearest vectors of a dense column.
class VectorMember {
 public:
  VectorMember() = default;

  std::string key;
  std::string signature;      ///< See VectorSearch.
  std::vector<float> vector;  ///< As long as the column's dimension; finite.
  Metric metric = Metric::cosine;
  double recall = 0.97;  ///< See VectorSearch.
  std::size_t ef = 0;
  bool exact = false;
};

/// A registered index.
class IndexMember {
 public:
  IndexMember() = default;

  std::string text;
  Metadata parameters;
  std::shared_ptr<const Index> index;
};

/// One ranking that takes part in a search.
class SearchMember {
 public:
  SearchMember() = default;

  /// Tells the ranking in SearchHit::ranks: "bm25", an embedder's key, an index's name. Unique in a request.
  std::string name;
  std::variant<TextMember, VectorMember, IndexMember, SparseMember> query;
  std::optional<double> cut_off;  ///< Hits below it are dropped (kept: score >= cut_off), before fusion.
  double weight = 1;              ///< In the fusion; > 0.
  /// Hits of a member come before those that only members of lower priority have; members of equal priority are fused.
  int priority = 0;
};

/// How the rankings of several members become one.
enum class Fusion {
  reciprocal_rank,  ///< Score = sum of weight / (rrf_k + rank), rank from 1 (Cormack et al. 2009).
  /// Score = sum of weight * (score - worst) / (best - worst), best and worst of the member's hits; 1 where they are
  /// equal. Keeps how much better a hit is, and depends on what else the member found. A member that finds by words
  /// (BM25, sparse vectors, registered indexes) and has fewer hits than it may has 0 as its worst score: what it lacks
  /// has nothing of the query.
  relative_score,
};

/// What happens when a member fails or runs out of time while others do not.
enum class OnMemberFailure {
  fail,     ///< The search fails.
  degrade,  ///< It is left out, and named in SearchResponse::failures; if all fail, the search fails.
};

/// Chooses among the best hits those that differ: maximal marginal relevance (Carbonell and Goldstein 1998). Relevance
/// is the score, scaled to 0..1 over the candidates; similarity is the cosine of stored vectors of the first
/// VectorMember's column or, where there are none, of the counts of analysed terms. Hits come in the order of choice.
class Diversity {
 public:
  Diversity() = default;

  double lambda = 0.5;          ///< 1: relevance alone; 0: difference alone. The default is LangChain's, as the next.
  std::size_t candidates = 20;  ///< Best hits that are considered; raised to top_k where smaller.
};

/// A member that was left out.
class MemberFailure {
 public:
  MemberFailure() = default;

  std::string member;
  Errc code = Errc::internal;
  std::string reason;
};

/// How the scores of several hits become the score of the one target node that they share.
enum class TargetScore { max, sum, count };

/// One retrieval in one store: members ranked, fused, carried over to the target group, cut to top_k.
class SearchRequest {
 public:
  SearchRequest() = default;

  std::string group;
  std::vector<SearchMember> members;  ///< At least one. With one, its scores are the result's; more are fused.
  Filter filter;
  std::size_t top_k = 6;
  std::size_t depth = 100;  ///< Hits taken from each member before fusion or target; raised to top_k where smaller.
  Fusion fusion = Fusion::reciprocal_rank;
  double rrf_k = 60;
  OnMemberFailure on_failure = OnMemberFailure::fail;
  /// Empty: the hits themselves. An ancestor group: the hits' ancestors. A descendant group: the hits' descendants,
  /// each with its hit's score. Any other group: nodes under the hit's ancestor in the nearest common ancestor group
  /// whose span overlaps the hit's (all of them where either has text of its own).
  std::string target;
  TargetScore target_score = TargetScore::max;
  std::optional<Diversity> diversity;
  /// Above 0, at most 1: where at least this share of a node's children in the searched group, and two or more of them,
  /// are among the first top_k hits, the node takes their place with the best one's score; again for its own parent.
  /// With diversity, the place is that of the child which was chosen first.
  /// Not together with `target`. 0: off.
  double parent_share = 0;
};

/// Where one member ranked a hit.
class MemberRank {
 public:
  MemberRank() = default;

  std::string member;
  std::size_t rank = 0;  ///< From 1.
  double score = 0;      ///< The member's own score.
};

class SearchHit {
 public:
  SearchHit() = default;

  Node node;
  double score = 0;
  Span file_span;                 ///< node.span in bytes of the file, through the source's offset map.
  std::vector<MemberRank> ranks;  ///< Of the hit, or of the best hit that led to this node.
};

class SearchResponse {
 public:
  SearchResponse() = default;

  Generation generation = 0;       ///< Of the snapshot that answered.
  std::vector<SearchHit> hits;     ///< Best first; equal scores by ascending id. See also Diversity.
  std::vector<std::string> notes;  ///< How each member was executed, for people.
  std::vector<MemberFailure> failures;
};

static_assert(!std::is_aggregate_v<SearchRequest> && !std::is_aggregate_v<SearchMember> &&
              !std::is_aggregate_v<Diversity>);

}  // namespace ragstone
