#pragma once

#include <ragstone/async/call_context.hpp>
#include <ragstone/async/pool.hpp>
#include <ragstone/async/task.hpp>
#include <ragstone/base/stop.hpp>
#include <ragstone/index/term_weight.hpp>
#include <ragstone/model/embedder.hpp>
#include <ragstone/model/usage.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace ragstone {

/// Terms with weights above 0, each once, in any order. A text may have none.
using SparseVector = std::vector<TermWeight>;

/// What one call of a model gave: a vector per text, and its usage where that is known.
class SparseBatch {
 public:
  SparseBatch() = default;
  SparseBatch(std::vector<SparseVector> vectors, Usage call_usage = {}) : rows(std::move(vectors)), usage(call_usage) {}

  std::vector<SparseVector> rows;
  Usage usage;
};

/// Turns texts into sparse vectors (SPLADE, BGE-M3's lexical weights, a user's own keywords), which are compared by
/// their inner product. Shared by any number of operations at once: do_embed() must allow concurrent calls.
class SparseEmbedder {
 public:
  virtual ~SparseEmbedder() = default;

  /// The model and whatever tells one training or parameter set from another: equal signatures give comparable
  /// vectors. Stored beside the vectors. Not empty.
  virtual const std::string& signature() const noexcept = 0;
  /// Texts per call of do_embed().
  virtual std::size_t max_batch() const noexcept { return 64; }
  /// Calls of do_embed() that one embed() runs at once.
  virtual std::size_t max_concurrency() const noexcept { return 4; }
  /// As Embedder::fusion_weight().
  virtual double fusion_weight() const noexcept { return 1; }

  /// One vector per text, in order, by ascending terms, in batches of max_batch(). No texts: no call. Emits one embed
  /// run to the context's observers. Honours the context's deadline, call_timeout() and cancellation (terminal).
  /// Lifetime: the embedder outlives the task. The first batch that fails cancels the others.
  /// Errors: Errc::rejected when do_embed() breaks its contract (too few or too many vectors, a weight that is not
  /// finite and above 0, a term that is empty or comes twice); Errc::timeout; what do_embed() throws.
  Task<SparseBatch> embed(std::vector<std::string> texts, EmbedRole role, CallContext context = {});

 private:
  Task<std::vector<SparseVector>> embed_batch(std::span<const std::string> texts, EmbedRole role, UsageSum* used,
                                              CallContext context);

  /// `texts` stay valid until it completes.
  virtual Task<SparseBatch> do_embed(std::span<const std::string> texts, EmbedRole role, CallContext context) = 0;
};

/// Computes vectors on the thread that calls it, one per text. Called from several threads at once.
using SparseEmbedFunction =
    std::function<std::vector<SparseVector>(std::span<const std::string> texts, EmbedRole role, const StopToken& stop)>;

/// A SparseEmbedder around a function that computes; it runs as function_embedder() does.
/// Errors: Errc::invalid_argument for an empty signature, no function, or a `fusion_weight` that is not above 0.
std::shared_ptr<SparseEmbedder> function_sparse_embedder(Pool pool, std::string signature, SparseEmbedFunction function,
                                                         double fusion_weight = 1);

static_assert(!std::is_aggregate_v<SparseBatch>);

}  // namespace ragstone
