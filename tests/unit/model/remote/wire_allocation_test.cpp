// In a program of its own, whose operator new counts.
#include "support/thread_allocations.hpp"
#include "unit/model/remote/chat_replies.hpp"
#include "unit/model/remote/remote_bed.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ragstone {
namespace {

using test::delta;
using test::kFinish;
using test::question;
using test::RemoteBed;
using test::ServerReply;
using test::ServerRequest;

Task<std::uint64_t> read(AsyncStream<std::string> pieces, bool gives_back) {
  std::uint64_t count = 0;
  while (true) {
    std::optional<std::string> piece = co_await pieces.next();
    if (!piece) co_return count;
    ++count;
    if (gives_back) pieces.recycle(std::move(*piece));
  }
}

Task<std::uint64_t> write(std::shared_ptr<ChatModel> model, StreamProducer<std::string> pieces) {
  const ChatReply reply = co_await model->chat_stream(question(), std::move(pieces));
  co_return reply.text.size();
}

Task<std::uint64_t> allocations_of_stream(std::shared_ptr<ChatModel> model, std::uint64_t tokens, bool gives_back) {
  AsyncStream<std::string> pieces(64);
  std::vector<Task<std::uint64_t>> ends;
  ends.push_back(write(std::move(model), pieces.producer()));
  ends.push_back(read(std::move(pieces), gives_back));
  const std::uint64_t before = test::thread_allocations();
  const std::vector<std::uint64_t> counts = co_await gather(std::move(ends));
  EXPECT_EQ(counts[1], tokens);
  co_return test::thread_allocations() - before;
}

class WireAllocations : public testing::TestWithParam<std::string> {
 protected:
  // So many that what the two runs differ in by chance, as the strings under way, does not count.
  static constexpr std::uint64_t kFew = 2'500;
  static constexpr std::uint64_t kMany = 22'500;

  static ServerReply stream_of(std::uint64_t tokens) {
    ServerReply reply = ServerReply::event_stream();
    ServerReply one;
    one.event(delta(GetParam()));
    reply.repeat(std::get<ServerReply::Send>(one.steps[0]).bytes, tokens);
    return reply.event(kFinish).event("[DONE]").end_of_chunks();
  }

  /// Of a token: the difference of a long and a short stream.
  double allocations_of_token(bool gives_back) {
    RemoteBed bed([&](const ServerRequest&) { return stream_of(tokens_); });
    const auto model = remote_chat_model(bed.model_server(), "m");
    const auto run = [&](std::uint64_t tokens) {
      tokens_ = tokens;
      return bed.runtime.run(allocations_of_stream(model, tokens, gives_back));
    };
    run(kMany);  // buffers have grown
    const auto few = static_cast<double>(run(kFew));
    return (static_cast<double>(run(kMany)) - few) / static_cast<double>(kMany - kFew);
  }

 private:
  std::uint64_t tokens_ = 0;
};

// CB-6: without observers a token needs none, however long, of a reader that gives its strings back. What is left is
// the growth of buffers.
TEST_P(WireAllocations, ATokenNeedsNone) { EXPECT_LT(allocations_of_token(true), 0.05); }

TEST_P(WireAllocations, TheCountIsAbleToSeeTokens) {
  if (GetParam().size() > 15) {
    EXPECT_GT(allocations_of_token(false), 0.9);
  }
}

INSTANTIATE_TEST_SUITE_P(, WireAllocations,
                         testing::Values(" word", " a token of more than fifteen bytes", "一个由许多汉字组成的词元"));

}  // namespace
}  // namespace ragstone
