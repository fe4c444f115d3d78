#include "support/fixed_embedder.hpp"

#include <ragstone/base/ids.hpp>

#include <cmath>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace ragstone::bench {
namespace {

class FixedEmbedder final : public Embedder {
 public:
  FixedEmbedder(std::uint32_t dimension, std::chrono::milliseconds latency,
                std::shared_ptr<std::atomic<std::size_t>> calls)
      : latency_(latency), calls_(std::move(calls)) {
    identity_.name = "fixed";
    identity_.dimension = dimension;
    identity_.normalized = true;
  }

  const EmbedderIdentity& identity() const noexcept override { return identity_; }

 private:
  Task<ragstone::EmbeddedBatch> do_embed(std::span<const std::string> texts, EmbedRole role, CallContext) override {
    if (role == EmbedRole::document && calls_) ++*calls_;
    if (role == EmbedRole::document && latency_ > std::chrono::milliseconds::zero()) {
      boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, latency_);
      co_await timer.async_wait(boost::asio::use_awaitable);
    }
    std::vector<float> values(texts.size() * identity_.dimension);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const Hash128 hash = hash128(texts[i]);
      std::uint64_t seed = 0;
      std::memcpy(&seed, hash.bytes.data(), sizeof seed);
      fill_unit_vector(seed, std::span(values).subspan(i * identity_.dimension, identity_.dimension));
    }
    co_return values;
  }

  const std::chrono::milliseconds latency_;
  const std::shared_ptr<std::atomic<std::size_t>> calls_;
  EmbedderIdentity identity_;
};

}  // namespace

void fill_unit_vector(std::uint64_t seed, std::span<float> row) {
  double squares = 0;
  for (float& value : row) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    value = static_cast<float>(static_cast<std::int32_t>(seed >> 32)) / 2147483648.0f;
    squares += static_cast<double>(value) * value;
  }
  const auto scale = static_cast<float>(1 / std::sqrt(squares));
  for (float& value : row) value *= scale;
}

std::shared_ptr<Embedder> fixed_embedder(std::uint32_t dimension, std::chrono::milliseconds latency,
                                         std::shared_ptr<std::atomic<std::size_t>> calls) {
  return std::make_shared<FixedEmbedder>(dimension, latency, std::move(calls));
}

}  // namespace ragstone::bench
