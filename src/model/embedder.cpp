#include "model/embed_usage.hpp"
#include <ragstone/async/deadline.hpp>
#include <ragstone/async/gather.hpp>
#include <ragstone/async/run_scope.hpp>
#include <ragstone/base/error.hpp>
#include <ragstone/model/embedder.hpp>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace ragstone {
namespace {

/// Each different text once, and where each text of the call is among those.
class DistinctTexts {
 public:
  explicit DistinctTexts(std::vector<std::string> all) {
    std::unordered_map<std::string_view, std::size_t> seen;
    std::vector<std::size_t> first;
    places_.reserve(all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto [found, is_new] = seen.emplace(all[i], first.size());
      if (is_new) first.push_back(i);
      places_.push_back(found->second);
    }
    texts_.reserve(first.size());
    for (const std::size_t i : first) texts_.push_back(std::move(all[i]));
  }

  std::span<const std::string> texts() const noexcept { return texts_; }

  /// One row per text of the call. The batches have the rows of texts() one after the other.
  std::vector<float> spread(const std::vector<std::vector<float>>& batches, std::size_t dimension) const {
    std::vector<const float*> rows;
    rows.reserve(texts_.size());
    for (const std::vector<float>& batch : batches)
      for (std::size_t at = 0; at < batch.size(); at += dimension) rows.push_back(batch.data() + at);
    std::vector<float> values;
    values.reserve(places_.size() * dimension);
    for (const std::size_t place : places_) values.insert(values.end(), rows[place], rows[place] + dimension);
    return values;
  }

 private:
  std::vector<std::string> texts_;
  std::vector<std::size_t> places_;
};

std::string described(const EmbedderIdentity& identity) { return "embedder '" + identity.name + "'"; }

void check_identity(const EmbedderIdentity& identity) {
  if (identity.name.empty()) throw Error(Errc::invalid_argument, "an embedder's identity has no name");
  if (identity.dimension == 0) throw Error(Errc::invalid_argument, described(identity) + " has dimension 0");
}

/// A flat array does not tell its shape: a whole number of rows, but too few, is taken for missing rows; otherwise a
/// whole number of floats for each text is taken for another dimension.
void check_shape(const EmbedderIdentity& identity, std::size_t texts, std::size_t floats) {
  const std::size_t dimension = identity.dimension;
  if (floats == texts * dimension) return;
  const std::string what = described(identity) + " returned " + std::to_string(floats) + " floats for " +
                           std::to_string(texts) + " texts of dimension " + std::to_string(dimension) + ": ";
  const bool whole_rows = floats % dimension == 0;
  if (whole_rows && floats < texts * dimension)
    throw Error(Errc::rejected, what + "only " + std::to_string(floats / dimension) + " vectors");
  if (floats % texts == 0)
    throw Error(Errc::dimension_mismatch, what + "vectors of dimension " + std::to_string(floats / texts));
  if (whole_rows) throw Error(Errc::rejected, what + std::to_string(floats / dimension) + " vectors");
  throw Error(Errc::dimension_mismatch, what + "no whole number of vectors");
}

void check_finite(const EmbedderIdentity& identity, const std::vector<float>& values) {
  const auto bad = std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
  if (bad == values.end()) return;
  const auto at = static_cast<std::size_t>(bad - values.begin());
  const char* value = std::isnan(*bad) ? "NaN" : "infinity";
  throw Error(Errc::rejected, described(identity) + " returned " + value + " in element " +
                                  std::to_string(at % identity.dimension) + " of vector " +
                                  std::to_string(at / identity.dimension) + " of " +
                                  std::to_string(values.size() / identity.dimension));
}

Metadata start_attributes(const CallContext& context, const EmbedderIdentity& identity, std::size_t texts,
                          std::size_t distinct, EmbedRole role) {
  Metadata attributes;
  if (!context.observed()) return attributes;
  attributes.set("dimension", identity.dimension);
  attributes.set("texts", static_cast<std::int64_t>(texts));
  attributes.set("distinct_texts", static_cast<std::int64_t>(distinct));
  attributes.set("role", role == EmbedRole::query ? "query" : "document");
  return attributes;
}

/// Percent-encodes what could be mistaken for a separator or would end a line.
std::string escaped(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte != 0x7F && byte != '%') {
      out += c;
    } else {
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  return out;
}

}  // namespace

std::string EmbedderIdentity::signature() const {
  return "name=" + escaped(name) + " revision=" + escaped(revision) + " dimension=" + std::to_string(dimension) +
         " normalized=" + (normalized ? "1" : "0");
}

Task<EmbeddedBatch> Embedder::bounded(std::span<const std::string> texts, EmbedRole role, CallContext context) {
  const bool needs_bound = context.call_timeout() && !bounds_calls();
  if (!needs_bound) co_return co_await do_embed(texts, role, context);
  context = context.in_turn();
  co_return co_await with_deadline(do_embed(texts, role, context), context);
}

Task<std::vector<float>> Embedder::embed_batch(std::span<const std::string> texts, EmbedRole role, UsageSum* used,
                                               CallContext context) {
  auto batch = co_await noting_usage(bounded(texts, role, context), used);
  used->add(usage_or_estimate(batch.usage, context, texts));
  check_shape(identity(), texts.size(), batch.values.size());
  check_finite(identity(), batch.values);
  co_return std::move(batch.values);
}

void Embedder::describe(Metadata&) const {}

std::size_t Embedder::batch_size(std::span<const std::string> texts, EmbedRole) const {
  return std::min(texts.size(), max_batch());
}

Task<Embeddings> Embedder::embed(std::vector<std::string> texts, EmbedRole role, CallContext context) {
  check_identity(identity());
  Embeddings embeddings;
  embeddings.dimension = identity().dimension;
  if (texts.empty()) co_return embeddings;

  const std::size_t count = texts.size();
  const DistinctTexts distinct(std::move(texts));
  const auto all = distinct.texts();
  const CallContext observed = emits_runs() ? context : context.without_observers();
  Metadata attributes = start_attributes(observed, identity(), count, all.size(), role);
  if (observed.observed()) describe(attributes);
  RunScope run(observed, EventKind::embed, identity().name, std::move(attributes));
  const CallContext inner = emits_runs() ? run.context() : context;
  UsageSum used;
  try {
    std::vector<Task<std::vector<float>>> calls;
    for (auto rest = all; !rest.empty();) {
      const auto batch = rest.first(std::clamp<std::size_t>(batch_size(rest, role), 1, rest.size()));
      calls.push_back(embed_batch(batch, role, &used, inner));
      rest = rest.subspan(batch.size());
    }
    GatherOptions options;
    options.limit = std::max<std::size_t>(1, max_concurrency());
    const auto batches = co_await with_deadline(gather(std::move(calls), options), inner);
    embeddings.values = distinct.spread(batches, embeddings.dimension);
    embeddings.usage = used.total();
  } catch (...) {
    run.fail(std::current_exception(), failure_attributes(run.context(), used));
    if (!emits_runs()) throw;
    std::rethrow_exception(unpaid(std::current_exception()));
  }
  run.end(usage_attributes(run.context(), embeddings.usage));
  co_return embeddings;
}

}  // namespace ragstone
