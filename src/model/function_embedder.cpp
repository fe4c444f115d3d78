#include <ragstone/async/offload.hpp>
#include <ragstone/base/error.hpp>
#include <ragstone/model/function_embedder.hpp>

#include <cmath>
#include <utility>

namespace ragstone {
namespace {

class FunctionEmbedder final : public Embedder {
 public:
  FunctionEmbedder(Pool pool, EmbedderIdentity identity, EmbedFunction function, double fusion_weight)
      : pool_(std::move(pool)),
        identity_(std::move(identity)),
        function_(std::make_shared<const EmbedFunction>(std::move(function))),
        fusion_weight_(fusion_weight) {}

  const EmbedderIdentity& identity() const noexcept override { return identity_; }
  double fusion_weight() const noexcept override { return fusion_weight_; }

 private:
  Task<EmbeddedBatch> do_embed(std::span<const std::string> texts, EmbedRole role, CallContext context) override {
    const Lane lane = role == EmbedRole::query ? Lane::foreground : Lane::background;
    // A cancelled call returns while its job still runs: the job owns what it reads.
    std::vector<std::string> owned(texts.begin(), texts.end());
    Work<std::vector<float>> work;
    work.set([function = function_, owned = std::move(owned), role](const StopToken& stop) {
      return (*function)(owned, role, stop);
    });
    EmbeddedBatch batch(co_await offload(pool_, lane, std::move(work), context));
    batch.usage.input = 0;
    co_return batch;
  }

  Pool pool_;
  EmbedderIdentity identity_;
  std::shared_ptr<const EmbedFunction> function_;
  double fusion_weight_;
};

}  // namespace

std::shared_ptr<Embedder> function_embedder(Pool pool, EmbedderIdentity identity, EmbedFunction function,
                                            double fusion_weight) {
  if (identity.name.empty()) throw Error(Errc::invalid_argument, "function_embedder: the identity has no name");
  if (identity.dimension == 0)
    throw Error(Errc::invalid_argument, "function_embedder: the identity of '" + identity.name + "' has dimension 0");
  if (!function) throw Error(Errc::invalid_argument, "function_embedder: no function for '" + identity.name + "'");
  if (!std::isfinite(fusion_weight) || fusion_weight <= 0)
    throw Error(Errc::invalid_argument, "function_embedder: the weight of '" + identity.name + "' must be above 0");
  return std::make_shared<FunctionEmbedder>(std::move(pool), std::move(identity), std::move(function), fusion_weight);
}

}  // namespace ragstone
