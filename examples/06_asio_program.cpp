// 6. Inside a program that runs Asio already.
//
// The Runtime takes the program's own executor and starts no loop. Operations are awaited like the program's others:
// they end on the executor that they were started from, honour deadlines, and can be cancelled.

#include <ragstone/ragstone.hpp>

#include <iostream>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

asio::awaitable<void> pause(std::chrono::milliseconds time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
}

// A client of a model server that has stopped answering.
class SilentServer final : public ragstone::Embedder {
 public:
  SilentServer() {
    identity_.name = "silent";
    identity_.dimension = 8;
  }
  const ragstone::EmbedderIdentity& identity() const noexcept override { return identity_; }

 private:
  ragstone::Task<ragstone::EmbeddedBatch> do_embed(std::span<const std::string> texts, ragstone::EmbedRole role,
                                                   ragstone::CallContext) override {
    if (role == ragstone::EmbedRole::query) co_await pause(1h);
    co_return std::vector<float>(texts.size() * identity_.dimension, 0.5f);
  }

  ragstone::EmbedderIdentity identity_;
};

asio::awaitable<void> tick(int& ticks) {
  for (;;) {
    co_await pause(1ms);
    ++ticks;
  }
}

asio::awaitable<void> serve(ragstone::Runtime& runtime) {
  using namespace asio::experimental::awaitable_operators;

  ragstone::DocumentOptions options;
  options.embedders["silent"] = std::make_shared<SilentServer>();
  auto document = co_await ragstone::Document::open(runtime, options);
  ragstone::Source source("limits.md", "每个账户每分钟最多六十次请求。Each account may send sixty requests a minute.");
  co_await document.add(source);

  // BM25 asks no server. Cutting and searching happen on the pool; the loop keeps turning meanwhile.
  ragstone::RetrieverOptions words;
  words.similarity = ragstone::Similarity::bm25;
  ragstone::Retriever by_words(document, words);
  const auto hits = co_await by_words.retrieve("每分钟多少次请求？");
  for (const auto& hit : hits) std::cout << hit.source << ": " << hit.text << '\n';

  // A deadline travels in the context of a call, down to the embedder that never returns.
  ragstone::RetrieverOptions vectors;
  vectors.similarity = ragstone::Similarity::cosine;
  ragstone::Retriever by_vectors(document, vectors);
  ragstone::CallContext context;
  context = context.with_timeout(20ms);
  try {
    co_await by_vectors.retrieve("How many requests?", context);
  } catch (const ragstone::Error& error) {
    std::cout << ragstone::name_of(error.errc()) << ": " << error.what() << '\n';
  }

  // Asio's own ways to cancel work too: whichever ends first cancels the other.
  int ticks = 0;
  auto both = co_await (by_vectors.retrieve("How many requests?") || pause(20ms) || tick(ticks));
  std::cout << (both.index() == 0 ? "retrieved" : "cancelled") << "; the loop turned " << (ticks > 0 ? "on" : "not")
            << " meanwhile\n";

  co_await document.close();
}

}  // namespace

int main() {
  asio::io_context loop(1);  // One thread runs it. For several, Ragstone makes strands of its own.
  ragstone::Runtime runtime(loop.get_executor());

  std::exception_ptr failure;
  asio::co_spawn(loop, serve(runtime), [&](std::exception_ptr error) { failure = error; });
  loop.run();
  if (failure) std::cerr << ragstone::message_of(failure) << '\n';
  return failure ? 1 : 0;
}
