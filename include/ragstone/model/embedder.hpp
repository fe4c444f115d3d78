#pragma once

#include <ragstone/async/call_context.hpp>
#include <ragstone/async/task.hpp>
#include <ragstone/model/usage.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace ragstone {

class UsageSum;

/// What makes two vectors comparable. Stored beside the vectors; a store is never filled by two of these under one key.
class EmbedderIdentity {
 public:
  EmbedderIdentity() = default;

  std::string name;             ///< The model: "bge-m3". Not empty.
  std::string revision;         ///< Whatever tells one training or parameter set from another.
  std::uint32_t dimension = 0;  ///< At least 1.
  bool normalized = false;      ///< Vectors have length 1 (or are zero).

  /// One line that is equal for equal identities only.
  std::string signature() const;
};

/// Many models embed a stored text and a question differently.
enum class EmbedRole { document, query };

/// [size() x dimension] floats; row i belongs to text i.
class Embeddings {
 public:
  Embeddings() = default;

  std::uint32_t dimension = 0;
  std::vector<float> values;
  Usage usage;  ///< Of all calls together.

  std::size_t size() const noexcept { return dimension == 0 ? 0 : values.size() / dimension; }
  std::span<const float> row(std::size_t i) const noexcept { return {values.data() + i * dimension, dimension}; }
};

/// What one call of a model gave: a row per text, and its usage where that is known.
class EmbeddedBatch {
 public:
  EmbeddedBatch() = default;
  EmbeddedBatch(std::vector<float> rows, Usage call_usage = {}) : values(std::move(rows)), usage(call_usage) {}

  std::vector<float> values;
  Usage usage;
};

/// Turns texts into vectors. Shared by any number of operations at once: do_embed() must allow concurrent calls.
class Embedder {
 public:
  virtual ~Embedder() = default;

  virtual const EmbedderIdentity& identity() const noexcept = 0;
  /// Texts per call of do_embed().
  virtual std::size_t max_batch() const noexcept { return 64; }
  /// How many of `texts`, from the first on, one call of do_embed() is given: at least 1, at most max_batch(). `texts`
  /// has at least one. Fewer than max_batch() where a server takes no more in a request, so that each request is a
  /// call.
  virtual std::size_t batch_size(std::span<const std::string> texts, EmbedRole role) const;
  /// Calls of do_embed() that one embed() runs at once.
  virtual std::size_t max_concurrency() const noexcept { return 4; }
  /// What its ranking counts in a fusion with others where the caller does not say it; above 0.
  virtual double fusion_weight() const noexcept { return 1; }

  /// One row per text, in order, in batches of batch_size(); a text that occurs several times is sent once. No texts:
  /// no call. Emits one embed run to the context's observers. Honours the context's deadline, call_timeout() and
  /// cancellation (terminal).
  /// Lifetime: the embedder outlives the task. The first batch that fails cancels the others.
  /// Errors: Errc::dimension_mismatch or Errc::rejected when do_embed() breaks its contract (other dimension, too few
  /// or too many rows, NaN or infinity); Errc::invalid_argument when identity() does; Errc::timeout; what do_embed()
  /// throws.
  Task<Embeddings> embed(std::vector<std::string> texts, EmbedRole role, CallContext context = {});

 private:
  /// False for an embedder that asks another one, whose runs are the ones to see.
  virtual bool emits_runs() const noexcept { return true; }
  /// Whether do_embed() itself keeps the context's call_timeout(), because its calls wait for their turn.
  virtual bool bounds_calls() const noexcept { return !emits_runs(); }
  /// Adds to the attributes of a run's start: for a model on a server `provider`, `server_address` and `server_port`.
  virtual void describe(Metadata& attributes) const;
  Task<EmbeddedBatch> bounded(std::span<const std::string> texts, EmbedRole role, CallContext context);
  Task<std::vector<float>> embed_batch(std::span<const std::string> texts, EmbedRole role, UsageSum* used,
                                       CallContext context);

  /// Returns [texts.size() x identity().dimension] finite values. `texts` stay valid until it completes.
  virtual Task<EmbeddedBatch> do_embed(std::span<const std::string> texts, EmbedRole role, CallContext context) = 0;
};

static_assert(!std::is_aggregate_v<EmbedderIdentity> && !std::is_aggregate_v<Embeddings> &&
              !std::is_aggregate_v<EmbeddedBatch>);

}  // namespace ragstone
