#include "support/test_embedders.hpp"

#include <stdexcept>
#include <utility>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace ragstone::test {
namespace {

class NeverEmbedder final : public Embedder {
 public:
  NeverEmbedder() {
    identity_.name = "never";
    identity_.dimension = 8;
  }
  const EmbedderIdentity& identity() const noexcept override { return identity_; }

 private:
  Task<EmbeddedBatch> do_embed(std::span<const std::string>, EmbedRole, CallContext) override {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    timer.expires_at(boost::asio::steady_timer::time_point::max());
    co_await timer.async_wait(boost::asio::use_awaitable);
    co_return std::vector<float>();
  }

  EmbedderIdentity identity_;
};

}  // namespace

CountingEmbedder::CountingEmbedder(std::string name) {
  identity_.name = std::move(name);
  identity_.dimension = 32;
}

Task<EmbeddedBatch> CountingEmbedder::do_embed(std::span<const std::string> texts, EmbedRole, CallContext) {
  ++calls_;
  texts_ += texts.size();
  if (before) before(texts);
  for (const std::string& text : texts)
    if (!refused.empty() && text.find(refused) != std::string::npos) throw std::runtime_error("refused by the model");
  std::vector<float> values(texts.size() * identity_.dimension);
  for (std::size_t i = 0; i < texts.size(); ++i)
    for (std::size_t at = 0; at + 1 < texts[i].size(); ++at) {
      const auto pair = static_cast<unsigned>(static_cast<unsigned char>(texts[i][at]) * 31 +
                                              static_cast<unsigned char>(texts[i][at + 1]));
      values[i * identity_.dimension + pair % identity_.dimension] += 1;
    }
  if (after) after(values);
  co_return values;
}

std::shared_ptr<Embedder> never_embedder() { return std::make_shared<NeverEmbedder>(); }

}  // namespace ragstone::test
