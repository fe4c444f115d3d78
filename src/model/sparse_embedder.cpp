#include "model/embed_usage.hpp"
#include <ragstone/async/deadline.hpp>
#include <ragstone/async/gather.hpp>
#include <ragstone/async/offload.hpp>
#include <ragstone/async/run_scope.hpp>
#include <ragstone/base/error.hpp>
#include <ragstone/model/sparse_embedder.hpp>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace ragstone {
namespace {

[[noreturn]] void reject(const std::string& signature, const std::string& reason) {
  throw Error(Errc::rejected, "sparse embedder '" + signature + "' returned " + reason);
}

void put_in_order(const std::string& signature, SparseVector& vector) {
  for (const TermWeight& element : vector) {
    if (element.term.empty()) reject(signature, "an empty term");
    if (!std::isfinite(element.weight) || element.weight <= 0)
      reject(signature, "a weight that is not finite and above 0; leave out the terms that do not count");
  }
  const auto by_term = [](const TermWeight& a, const TermWeight& b) { return a.term < b.term; };
  const auto same_term = [](const TermWeight& a, const TermWeight& b) { return a.term == b.term; };
  std::sort(vector.begin(), vector.end(), by_term);
  if (std::adjacent_find(vector.begin(), vector.end(), same_term) != vector.end())
    reject(signature, "a term twice in one vector");
}

Metadata attributes_of(std::size_t texts, EmbedRole role) {
  Metadata attributes;
  attributes.set("texts", static_cast<std::int64_t>(texts));
  attributes.set("role", role == EmbedRole::query ? "query" : "document");
  return attributes;
}

class FunctionSparseEmbedder final : public SparseEmbedder {
 public:
  FunctionSparseEmbedder(Pool pool, std::string signature, SparseEmbedFunction function, double fusion_weight)
      : pool_(std::move(pool)),
        signature_(std::move(signature)),
        function_(std::make_shared<const SparseEmbedFunction>(std::move(function))),
        fusion_weight_(fusion_weight) {}

  const std::string& signature() const noexcept override { return signature_; }
  double fusion_weight() const noexcept override { return fusion_weight_; }

 private:
  Task<SparseBatch> do_embed(std::span<const std::string> texts, EmbedRole role, CallContext context) override {
    const Lane lane = role == EmbedRole::query ? Lane::foreground : Lane::background;
    // A cancelled call returns while its job still runs: the job owns what it reads.
    std::vector<std::string> owned(texts.begin(), texts.end());
    Work<std::vector<SparseVector>> work;
    work.set([function = function_, owned = std::move(owned), role](const StopToken& stop) {
      return (*function)(owned, role, stop);
    });
    SparseBatch batch(co_await offload(pool_, lane, std::move(work), context));
    batch.usage.input = 0;
    co_return batch;
  }

  Pool pool_;
  std::string signature_;
  std::shared_ptr<const SparseEmbedFunction> function_;
  double fusion_weight_;
};

}  // namespace

Task<std::vector<SparseVector>> SparseEmbedder::embed_batch(std::span<const std::string> texts, EmbedRole role,
                                                            UsageSum* used, CallContext context) {
  const CallContext inner = context.in_turn();
  SparseBatch batch = co_await with_deadline(noting_usage(do_embed(texts, role, inner), used), inner);
  used->add(usage_or_estimate(batch.usage, context, texts));
  if (batch.rows.size() != texts.size())
    reject(signature(), std::to_string(batch.rows.size()) + " vectors for " + std::to_string(texts.size()) + " texts");
  for (SparseVector& vector : batch.rows) put_in_order(signature(), vector);
  co_return std::move(batch.rows);
}

Task<SparseBatch> SparseEmbedder::embed(std::vector<std::string> texts, EmbedRole role, CallContext context) {
  SparseBatch all;
  if (texts.empty()) co_return all;
  Metadata attributes;
  if (context.observed()) attributes = attributes_of(texts.size(), role);
  RunScope run(context, EventKind::embed, signature(), std::move(attributes));
  UsageSum used;
  try {
    const std::size_t batch = std::max<std::size_t>(1, max_batch());
    const std::span<const std::string> given(texts);
    std::vector<Task<std::vector<SparseVector>>> calls;
    for (std::size_t i = 0; i < texts.size(); i += batch)
      calls.push_back(embed_batch(given.subspan(i, std::min(batch, texts.size() - i)), role, &used, run.context()));
    GatherOptions options;
    options.limit = std::max<std::size_t>(1, max_concurrency());
    auto batches = co_await with_deadline(gather(std::move(calls), options), run.context());
    for (auto& rows : batches) std::move(rows.begin(), rows.end(), std::back_inserter(all.rows));
    all.usage = used.total();
  } catch (...) {
    run.fail(std::current_exception(), failure_attributes(run.context(), used));
    std::rethrow_exception(unpaid(std::current_exception()));
  }
  run.end(usage_attributes(run.context(), all.usage));
  co_return all;
}

std::shared_ptr<SparseEmbedder> function_sparse_embedder(Pool pool, std::string signature, SparseEmbedFunction function,
                                                         double fusion_weight) {
  if (signature.empty()) throw Error(Errc::invalid_argument, "function_sparse_embedder: the signature is empty");
  if (!function) throw Error(Errc::invalid_argument, "function_sparse_embedder: no function for '" + signature + "'");
  if (!std::isfinite(fusion_weight) || fusion_weight <= 0)
    throw Error(Errc::invalid_argument, "function_sparse_embedder: the weight of '" + signature + "' must be above 0");
  return std::make_shared<FunctionSparseEmbedder>(std::move(pool), std::move(signature), std::move(function),
                                                  fusion_weight);
}

}  // namespace ragstone
