#include "model/flights.hpp"
#include "model/paid_error.hpp"
#include <ragstone/async/run_scope.hpp>
#include <ragstone/base/error.hpp>
#include <ragstone/model/cache.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

namespace ragstone {
namespace {

using Vector = std::vector<float>;
using VectorFlights = Flights<Vector>;

std::string bytes_of(const Vector& vector) {
  std::string bytes(vector.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), vector.data(), bytes.size());
  return bytes;
}

/// None if the bytes are no vector of this dimension: as good as not there.
std::optional<Vector> vector_of(const std::string& bytes, std::uint32_t dimension) {
  if (bytes.size() != dimension * sizeof(float)) return std::nullopt;
  Vector vector(dimension);
  std::memcpy(vector.data(), bytes.data(), bytes.size());
  if (!std::all_of(vector.begin(), vector.end(), [](float value) { return std::isfinite(value); })) return std::nullopt;
  return vector;
}

/// One call's texts on their way to vectors.
struct Batch {
  std::vector<Hash128> keys;
  std::vector<std::optional<Vector>> vectors;
  std::vector<std::optional<VectorFlights::Lead>> leads;  ///< Of texts that this call must bring.
  std::vector<std::optional<VectorFlights::Seat>> seats;  ///< Of texts that another call brings.
  UsageSum used;
};

class CachedEmbedder final : public Embedder {
 public:
  CachedEmbedder(std::shared_ptr<Embedder> inner, std::shared_ptr<Cache> cache, std::string tenant)
      : inner_(std::move(inner)), cache_(std::move(cache)), tenant_(std::move(tenant)) {}

  const EmbedderIdentity& identity() const noexcept override { return inner_->identity(); }
  double fusion_weight() const noexcept override { return inner_->fusion_weight(); }
  // One call of the inner embedder for each batch, so that each one's result is kept as soon as it is there.
  std::size_t max_batch() const noexcept override { return inner_->max_batch(); }
  std::size_t batch_size(std::span<const std::string> texts, EmbedRole role) const override {
    return inner_->batch_size(texts, role);
  }
  std::size_t max_concurrency() const noexcept override { return inner_->max_concurrency(); }

 private:
  bool emits_runs() const noexcept override { return false; }

  Hash128 key_of(const std::string& text, EmbedRole role) const {
    const std::string signature = identity().signature();
    const std::string_view parts[] = {"embedding", tenant_, signature,
                                      role == EmbedRole::query ? std::string_view("query") : "document", text};
    return hash128(parts);
  }

  Task<EmbeddedBatch> do_embed(std::span<const std::string> texts, EmbedRole role, CallContext context) override {
    Batch batch;
    for (const std::string& text : texts) batch.keys.push_back(key_of(text, role));
    batch.vectors.resize(texts.size());
    batch.leads.resize(texts.size());
    batch.seats.resize(texts.size());
    while (std::any_of(batch.vectors.begin(), batch.vectors.end(), [](const auto& vector) { return !vector; }))
      co_await bring(batch, texts, role, context);

    EmbeddedBatch result;
    result.usage = batch.used.total();
    if (batch.used.calls() == 0) result.usage.input = 0;
    for (const std::optional<Vector>& vector : batch.vectors)
      result.values.insert(result.values.end(), vector->begin(), vector->end());
    co_return result;
  }

  /// Brings what nobody else is bringing, then waits for the rest. What others gave up is left for the next round.
  Task<void> bring(Batch& batch, std::span<const std::string> texts, EmbedRole role, CallContext context) {
    std::vector<std::size_t> own;
    std::size_t joined = 0;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (batch.vectors[i]) continue;
      flights_->join(batch.keys[i], batch.leads[i], batch.seats[i]);
      if (batch.leads[i]) own.push_back(i);
      if (batch.seats[i]) ++joined;
    }
    // After joining: whoever looked before could miss a vector that comes in between.
    co_await look_up(batch, own, joined, context);
    if (!own.empty()) co_await embed_own(batch, own, texts, role, context);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (!batch.seats[i]) continue;
      batch.vectors[i] = co_await batch.seats[i]->wait(context);
      batch.seats[i].reset();
    }
  }

  /// Looks for `own` texts, of which those that are not in the cache remain.
  Task<void> look_up(Batch& batch, std::vector<std::size_t>& own, std::size_t joined, CallContext context) {
    Metadata counts;
    if (context.observed()) counts.set("operation", "embed");
    RunScope run(context, EventKind::cache, identity().name, counts);
    const std::size_t wanted = own.size();
    std::exception_ptr error;
    std::vector<std::optional<std::string>> found;
    try {
      std::vector<Hash128> keys;
      for (const std::size_t i : own) keys.push_back(batch.keys[i]);
      if (!own.empty()) found = co_await cache_->get(CacheKind::embedding, std::move(keys), run.context());
    } catch (...) {
      error = std::current_exception();
    }
    if (error) {
      run.fail(error);
      if (!concerns_all(error)) std::rethrow_exception(error);
      co_return;
    }
    std::vector<std::size_t> missing;
    for (std::size_t n = 0; n < wanted; ++n) {
      const std::size_t i = own[n];
      if (found[n]) batch.vectors[i] = vector_of(*found[n], identity().dimension);
      if (!batch.vectors[i]) {
        missing.push_back(i);
        continue;
      }
      batch.leads[i]->land(*batch.vectors[i]);
      batch.leads[i].reset();
    }
    own.swap(missing);
    if (run.observed()) {
      counts.set("hits", static_cast<std::int64_t>(wanted - own.size() + joined));
      counts.set("misses", static_cast<std::int64_t>(own.size()));
    }
    run.end(std::move(counts));
  }

  Task<void> embed_own(Batch& batch, const std::vector<std::size_t>& own, std::span<const std::string> texts,
                       EmbedRole role, CallContext context) {
    std::vector<std::string> wanted;
    for (const std::size_t i : own) wanted.push_back(texts[i]);
    std::exception_ptr error;
    Embeddings embeddings;
    try {
      embeddings = co_await inner_->embed(std::move(wanted), role, context);
    } catch (...) {
      error = std::current_exception();
    }
    if (error) {
      for (const std::size_t i : own)
        if (concerns_all(error)) batch.leads[i]->fail(error);
      for (const std::size_t i : own) batch.leads[i].reset();
      std::rethrow_exception(error);
    }
    batch.used.add(embeddings.usage);
    std::vector<CacheEntry> entries;
    for (std::size_t n = 0; n < own.size(); ++n) {
      const std::span<const float> row = embeddings.row(n);
      Vector vector(row.begin(), row.end());
      entries.emplace_back(batch.keys[own[n]], bytes_of(vector));
      batch.vectors[own[n]] = std::move(vector);
    }
    co_await keep(std::move(entries), context);
    for (const std::size_t i : own) {
      batch.leads[i]->land(*batch.vectors[i]);
      batch.leads[i].reset();
    }
  }

  Task<void> keep(std::vector<CacheEntry> entries, CallContext context) {
    std::exception_ptr error;
    try {
      co_await cache_->put(CacheKind::embedding, std::move(entries), std::nullopt, context);
    } catch (...) {
      error = std::current_exception();
    }
    if (!error) co_return;
    if (!concerns_all(error)) std::rethrow_exception(error);
    RunScope run(context, EventKind::cache, identity().name);
    run.fail(error);
  }

  const std::shared_ptr<Embedder> inner_;
  const std::shared_ptr<Cache> cache_;
  const std::string tenant_;
  const std::shared_ptr<VectorFlights> flights_ = std::make_shared<VectorFlights>();
};

}  // namespace

std::shared_ptr<Embedder> cached_embedder(std::shared_ptr<Embedder> inner, std::shared_ptr<Cache> cache,
                                          std::string tenant) {
  if (!inner || !cache) throw Error(Errc::invalid_argument, "cached_embedder: needs an embedder and a cache");
  return std::make_shared<CachedEmbedder>(std::move(inner), std::move(cache), std::move(tenant));
}

}  // namespace ragstone
