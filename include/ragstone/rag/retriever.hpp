#pragma once

#include <ragstone/async/call_context.hpp>
#include <ragstone/async/task.hpp>
#include <ragstone/base/filter.hpp>
#include <ragstone/rag/document.hpp>
#include <ragstone/rag/hit.hpp>
#include <ragstone/store/search.hpp>
#include <ragstone/text/analyzer.hpp>

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace ragstone {

/// How a query is compared with nodes.
enum class Similarity {
  automatic,  ///< hybrid if the document has embedders, bm25 otherwise.
  bm25,
  cosine,
  inner_product,  ///< Also of sparse vectors, which know no other.
  l2,             ///< Score: minus the squared distance.
  hamming,        ///< Score: minus the number of elements that are above 0 in one vector only.
  hybrid,         ///< bm25 and each embedder by its metric_type (see VectorIndexOptions), sparse ones too, fused.
};

class RetrieverOptions {
 public:
  RetrieverOptions() = default;

  std::string group = kMediumChunk;
  Similarity similarity = Similarity::automatic;
  std::string index;  ///< A registered index to be asked instead of a similarity.
  /// Registered indexes over `group` that are asked besides and fused with the rankings of the similarity, or with
  /// `index`: a trie_index() of titles, say, whose exact matches a priority puts first. By their names they have
  /// weights, priorities and cut-offs as other rankings do. Each is given Query::parameters. Of several groups,
  /// ensemble() fuses hits.
  std::vector<std::string> fused_indexes;
  std::size_t top_k = 6;               ///< At least 1.
  std::vector<std::string> embedders;  ///< Keys to use; empty: all of the document's that fit. Several are fused.
  /// Hits below it are dropped (kept: score >= cut-off): in each ranking, before fusion and before top_k.
  std::optional<double> similarity_cut_off;
  // How thoroughly vectors are searched, for all embedders; what is not set here is as the key's VectorIndexOptions
  // say.
  /// The share of the nearest that a graph should find, above 0, at most 1; and the key's `ef` does not count.
  std::optional<double> recall;
  std::optional<std::size_t> ef;           ///< Candidates of a graph search, whatever the recall; 0: by the recall.
  std::optional<bool> exact;               ///< True: the nearest, whatever it costs. Not together with the other two.
  std::map<std::string, double> cut_offs;  ///< The same for single rankings: "bm25", an embedder's key.
  /// Of single rankings in the fusion; where not named, Embedder::fusion_weight(), and 1 for BM25.
  std::map<std::string, double> weights;
  std::map<std::string, int> priorities;  ///< Of single rankings; 0 where not named. See SearchMember::priority.
  /// By scores, so that a ranking of little weight adds to the end of another and leaves its head alone.
  Fusion fusion = Fusion::relative_score;
  /// `degrade`: a ranking that fails (its embedder is down or too slow) is left out, and the notes, Retrieval::failures
  /// and a custom event of the run say so. The only ranking is never left out.
  OnMemberFailure on_failure = OnMemberFailure::fail;
  std::string target;  ///< The group to answer with; empty: `group`. See SearchRequest::target.
  TargetScore target_score = TargetScore::max;
  std::optional<Diversity> diversity;  ///< Hits that differ from each other.
  double parent_share = 0;  ///< Parents in place of so many of their children: see SearchRequest::parent_share.
  Filter filter;
  std::size_t depth = 100;  ///< Hits of each ranking that take part in fusion and in target scores.
  double rrf_k = 60;
  Bm25Parameters bm25;
  /// Makes the terms of queries for BM25, in place of the analyser that made those of the group's texts: most often a
  /// synonym_analyzer() over that one, whose synonyms then need no text to be analysed anew and may be others for each
  /// retriever. A term that no text has finds nothing. Null: that of the texts (and those of their fields).
  std::shared_ptr<const Analyzer> query_analyzer;
  QueryTerms query_terms;  ///< Of BM25, as the two below.
  Feedback feedback;
  TextBoosts text_boosts;
  /// Fills in Hit::highlights and Hit::field_highlights, whatever the similarity: the words that BM25 looks for,
  /// without those that feedback adds. Costs another analysis of each hit's text.
  bool highlights = false;
};

/// A query with what it changes about the retriever's options.
class Query {
 public:
  Query() = default;
  explicit Query(std::string query_text) : text(std::move(query_text)) {}

  std::string text;
  Filter filter;  ///< Must hold besides the retriever's own.
  std::optional<std::size_t> top_k;
  Metadata parameters;  ///< For registered indexes.
};

/// Asks one or several documents. A cheap handle that may be copied and shared; any number of retrievals at once.
///
/// Hits of several documents are put in order by their scores as each document has them: BM25 counts how rare terms are
/// among that document's texts, relative scores are relative to its best hit, and Diversity and cut-offs work within
/// each. So of fused rankings every document's best hit comes near the top; ensemble() or a reranker compares better.
/// Hits of one document keep their order, which with Diversity is the order of choice. Where scores come from different
/// rankings (one document has embedders and another none, or others; one ranking of a document was left out), hits are
/// put in order by their ranks in their documents instead, with 1 / (rrf_k + rank) as their scores; a note says so.
class Retriever {
 public:
  Retriever() = default;
  /// Errors: Errc::not_found (group, target, embedder, index: the message lists what there is), Errc::invalid_argument,
  /// Errc::unsupported.
  Retriever(Document document, RetrieverOptions options);
  Retriever(std::vector<Document> documents, RetrieverOptions options);

  /// At most top_k hits, best first. The first retrieval over a group that has not been built waits for the build.
  /// An empty query, or one without a word, has no BM25 hits. Cancellation: terminal.
  /// Errors: Errc::timeout, Errc::stale_index, the embedder's.
  Task<std::vector<Hit>> retrieve(std::string query, CallContext context = {}) const;
  Task<std::vector<Hit>> retrieve(Query query, CallContext context = {}) const;
  /// The same with notes on how it was done: of vectors, whether they were scanned or a graph was searched, and how
  /// far.
  Task<Retrieval> explain(Query query, CallContext context = {}) const;

  /// Several queries at once, each with the hits that retrieve() gives, in their order; none: no hits. Each embedder is
  /// asked once, and vectors are compared with several queries in one pass: where one needs a scan, all are answered by
  /// it, and may get nearer hits than along a graph. All fail where one would.
  Task<std::vector<std::vector<Hit>>> retrieve_all(std::vector<std::string> queries, CallContext context = {}) const;
  Task<std::vector<Retrieval>> explain_all(std::vector<Query> queries, CallContext context = {}) const;

  /// For callbacks, futures and other completion tokens; signature void(std::exception_ptr, std::vector<Hit>).
  template <class Token>
  auto async_retrieve(std::string query, Token&& token) const {
    return runtime().spawn(retrieve(std::move(query)), std::forward<Token>(token));
  }

  Runtime& runtime() const;

 private:
  struct State;

  std::shared_ptr<const State> state_;
};

static_assert(!std::is_aggregate_v<RetrieverOptions> && !std::is_aggregate_v<Query>);

}  // namespace ragstone
