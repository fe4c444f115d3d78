#pragma once

#include <ragstone/async/pool.hpp>
#include <ragstone/model/chat_model.hpp>
#include <ragstone/model/embedder.hpp>
#include <ragstone/model/reranker.hpp>
#include <ragstone/rag/document.hpp>
#include <ragstone/rag/hit_source.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

/// Steps around retrievers. Each is a HitSource, so that they can be put around each other:
///
///     auto both = ensemble({hit_source(words), hit_source(vectors)}, options);
///     auto best = reranked(both, reranker, 5);
///
/// All throw Errc::invalid_argument for a null argument. Filters and parameters of the query go on to the sources.
namespace ragstone {

class EnsembleOptions {
 public:
  EnsembleOptions() = default;

  std::vector<double> weights;  ///< One for each source, above 0; none: 1 each.
  double rrf_k = 60;
  std::size_t top_k = 6;  ///< Unless the query has one.
  OnMemberFailure on_failure = OnMemberFailure::fail;
};

/// All sources at once, fused by weighted reciprocal rank: the score is the sum of weight / (rrf_k + rank), ranks from
/// 1 (Cormack et al. 2009). Hits with the same uid are one; equal scores keep the order of the sources. A hit's ranks
/// tell the place and score that each source gave it; its highlights are those of the first source that has some.
/// Errors: Errc::invalid_argument for numbers outside their ranges.
std::shared_ptr<HitSource> ensemble(std::vector<std::shared_ptr<HitSource>> sources, EnsembleOptions options = {});

class QueryVariantOptions {
 public:
  QueryVariantOptions() = default;

  /// Tells the model what to write, in place of multi_query()'s ("{count}" stands for `variants`) or hyde()'s own,
  /// which are in English and ask for the language of the question. Empty: those.
  std::string instruction;
  std::size_t variants = 3;      ///< 1 to 16.
  bool include_original = true;  ///< Ask with the query itself, too.
  double rrf_k = 60;
  std::size_t top_k = 6;  ///< Unless the query has one.
  /// Of variants that fail, and of the model: with degrade the query itself is asked alone.
  OnMemberFailure on_failure = OnMemberFailure::fail;
};

/// Asks with the query and other wordings of it by the model, one a line, and fuses as ensemble() does.
/// Errors: those of the model; Errc::rejected for a reply without a line.
std::shared_ptr<HitSource> multi_query(std::shared_ptr<HitSource> source, std::shared_ptr<ChatModel> model,
                                       QueryVariantOptions options = {});

/// Hypothetical document embeddings (Gao et al. 2022): asks with passages that the model invents as answers, because
/// they are nearer to real ones than the question is, and with the query itself; fuses as ensemble() does.
std::shared_ptr<HitSource> hyde(std::shared_ptr<HitSource> source, std::shared_ptr<ChatModel> model,
                                QueryVariantOptions options = {});

/// `candidates` hits of the source, reranked; `top_k` of them, unless the query has another number. With degrade a
/// reranker that fails leaves the source's order.
std::shared_ptr<HitSource> reranked(std::shared_ptr<HitSource> source, std::shared_ptr<Reranker> reranker,
                                    std::size_t top_k, std::size_t candidates = 50,
                                    OnMemberFailure on_failure = OnMemberFailure::fail);

/// The nodes of `group` that the hits are parts of: each once, in the order of its best hit, with that hit's score.
/// Hits that have no such ancestor are left out. (Within one store RetrieverOptions::target does the same in one job,
/// and has highlights, which parents have not.) Errors: Errc::not_found for an unknown group.
std::shared_ptr<HitSource> parents(std::shared_ptr<HitSource> source, Document document, std::string group);

/// Makes hits smaller, or drops them, for a query: less for a model to read. What is left of a hit is a part of its
/// text, so that spans stay true.
class Compressor {
 public:
  virtual ~Compressor() = default;

  /// Keeps the order. Errors: Errc::internal when do_compress() gives a text that is not at its span; its own.
  Task<std::vector<Hit>> compress(std::string query, std::vector<Hit> hits, CallContext context = {});

 private:
  virtual Task<std::vector<Hit>> do_compress(std::string query, std::vector<Hit> hits, CallContext context) = 0;
};

std::shared_ptr<HitSource> compressed(std::shared_ptr<HitSource> source, std::shared_ptr<Compressor> compressor);

/// Keeps the part of each hit from its first to its last sentence with a term of the query, without a model; drops hits
/// that have none. Runs on the pool.
std::shared_ptr<Compressor> sentence_compressor(Pool pool);

/// Keeps the part of each hit that the model quotes, from its first to its last quoted sentence; a quotation that is
/// not in the hit, white space aside, counts for nothing, and a hit without one is dropped. One call for each hit,
/// `concurrency` at once. With degrade a hit whose call fails is kept whole.
/// Its calls tell no tenant: a cache of replies that tenants must not share has one in ChatCacheOptions::tenant.
std::shared_ptr<Compressor> llm_compressor(std::shared_ptr<ChatModel> model, std::size_t concurrency = 4,
                                           OnMemberFailure on_failure = OnMemberFailure::fail);

class EmbeddingFilterOptions {
 public:
  EmbeddingFilterOptions() = default;

  std::size_t top_k = 20;           ///< Hits that are kept at most.
  std::optional<double> threshold;  ///< Hits with a smaller cosine are dropped.
};

/// Keeps the hits whose texts are nearest to the query by cosine. A vector of zeros has the cosine 0; equal ones keep
/// their order. What is kept stays in its order.
std::shared_ptr<Compressor> embedding_filter(std::shared_ptr<Embedder> embedder, EmbeddingFilterOptions options = {});

class ListwiseOptions {
 public:
  ListwiseOptions() = default;

  /// Tells the model how to order the texts, in place of one in English. Its reply is to have the form "[2] > [1]".
  /// Empty: that one.
  std::string instruction;
  std::size_t window = 20;            ///< Texts for one call; at least 2.
  std::size_t step = 10;              ///< By how much the window moves; at least 1, at most `window`.
  std::size_t max_text_bytes = 2000;  ///< Of each text, as far as the model sees it.
  /// None: not sent, for models that refuse it (OpenAI's o-series and GPT-5).
  std::optional<double> temperature = 0;
};

/// A reranker that lets a model order the texts: windows from the last texts to the first, each ordered as a list
/// "[2] > [1] > [3]" (RankGPT; Sun et al. 2023). Texts that a reply leaves out keep their order behind the others, and
/// numbers that are none of a text count for nothing. Scores are reciprocal ranks. Its calls tell no tenant, as those
/// of llm_compressor(). Errors: Errc::rejected for a reply without any of the numbers; those of the model.
std::shared_ptr<Reranker> llm_reranker(std::shared_ptr<ChatModel> model, ListwiseOptions options = {});

static_assert(!std::is_aggregate_v<EnsembleOptions> && !std::is_aggregate_v<QueryVariantOptions> &&
              !std::is_aggregate_v<EmbeddingFilterOptions> && !std::is_aggregate_v<ListwiseOptions>);

}  // namespace ragstone
