#include "rag/memory_keeper.hpp"

#include "support/errors.hpp"
#include "support/held_sessions.hpp"
#include <ragstone/async/runtime.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

using namespace std::chrono_literals;

const SessionId kSession("s", "tenant");

using Ticket = std::shared_ptr<MemoryKeeper::Ticket>;

class MemoryKeeperTest : public ::testing::Test {
 protected:
  Ticket keep(const std::string& question, const SessionId& session = kSession) {
    return keeper->keep(session, question, "答 " + question, CallContext());
  }
  void wait_until_asked(std::size_t turns) const {
    while (sessions->asked().size() < turns) std::this_thread::yield();
  }
  std::vector<std::string> kept(const SessionId& session = kSession) {
    std::vector<std::string> questions;
    for (const Turn& turn : runtime->run(sessions->load(session)).turns) questions.push_back(turn.question);
    return questions;
  }

  std::unique_ptr<Runtime> runtime = std::make_unique<Runtime>();
  std::shared_ptr<HeldSessions> sessions = std::make_shared<HeldSessions>();
  std::shared_ptr<MemoryKeeper> keeper = std::make_shared<MemoryKeeper>(*runtime, buffer_memory(sessions));
};

TEST_F(MemoryKeeperTest, StoresTheTurnsOfASessionOneAfterTheOtherInOrder) {
  std::vector<std::string> questions;
  for (int i = 0; i < 20; ++i) questions.push_back((i % 2 == 0 ? "question " : "问题 ") + std::to_string(i));
  std::vector<Ticket> tickets;
  for (const std::string& question : questions) tickets.push_back(keep(question));
  wait_until_asked(1);
  sessions->allow(1);
  wait_until_asked(2);
  EXPECT_EQ(sessions->asked().size(), 2u) << "the third waits for the second";
  sessions->allow();
  for (const Ticket& ticket : tickets) runtime->run(keeper->stored(ticket, CallContext()));
  EXPECT_EQ(kept(), questions);
}

TEST_F(MemoryKeeperTest, ASessionWhoseStoreHangsHoldsUpNoOther) {
  const SessionId other("other");
  keep("held");
  wait_until_asked(1);
  const Ticket second = keep("free", other);
  wait_until_asked(2);
  sessions->allow(2);
  runtime->run(keeper->stored(second, CallContext()));
  EXPECT_EQ(kept(other), std::vector<std::string>{"free"});
}

TEST_F(MemoryKeeperTest, ATurnThatFailsIsToldAndTheNextOnesAreStored) {
  sessions->fail("second", Errc::storage_full);
  sessions->allow();
  const std::vector<Ticket> tickets{keep("first"), keep("second"), keep("third")};
  runtime->run(keeper->stored(tickets[0], CallContext()));
  EXPECT_EQ(error_of([&] { runtime->run(keeper->stored(tickets[1], CallContext())); }).errc(), Errc::storage_full);
  runtime->run(keeper->stored(tickets[2], CallContext()));
  EXPECT_EQ(kept(), (std::vector<std::string>{"first", "third"}));
}

TEST_F(MemoryKeeperTest, SettledWaitsForAFailureTooAndThrowsNone) {
  sessions->fail("first", Errc::storage_full);
  keep("first");
  wait_until_asked(1);
  auto settled = runtime->spawn(keeper->settled(kSession, CallContext()), boost::asio::use_future);
  EXPECT_EQ(settled.wait_for(20ms), std::future_status::timeout);
  sessions->allow();
  settled.get();
  runtime->run(keeper->settled(SessionId("unknown"), CallContext()));
}

TEST_F(MemoryKeeperTest, AWaitThatIsTooLateLosesNoTurn) {
  const Ticket ticket = keep("slow");
  const auto soon = CallContext().with_timeout(5ms);
  EXPECT_EQ(error_of([&] { runtime->run(keeper->stored(ticket, soon)); }).errc(), Errc::timeout);
  EXPECT_EQ(error_of([&] { runtime->run(keeper->settled(kSession, soon)); }).errc(), Errc::timeout);
  sessions->allow();
  runtime->run(keeper->stored(ticket, CallContext()));
  EXPECT_EQ(kept(), std::vector<std::string>{"slow"});
}

TEST_F(MemoryKeeperTest, TheDeadlineOfTheCallerCountsForNothing) {
  const auto past = CallContext().with_timeout(0ms);
  const Ticket ticket = keeper->keep(kSession, "late", "a", past);
  sessions->allow();
  runtime->run(keeper->stored(ticket, CallContext()));
  EXPECT_EQ(kept(), std::vector<std::string>{"late"});
}

/// Tells on which lane it is asked.
class LaneModel final : public ChatModel {
 public:
  const std::string& name() const noexcept override { return name_; }
  std::promise<Lane> lane;

 private:
  Task<ChatReply> do_chat(const ChatRequest&, ChatPieces& pieces, CallContext context) override {
    lane.set_value(context.lane());
    ChatReply reply;
    reply.text = "They talked.";
    co_await pieces.put(reply.text, context);
    co_return reply;
  }

  const std::string name_ = "lane";
};

TEST_F(MemoryKeeperTest, SummariesGiveWayToWhatSomebodyWaitsFor) {
  const auto model = std::make_shared<LaneModel>();
  TokenMemoryOptions options;
  options.max_tokens = 10;
  const auto memory = summary_memory(memory_sessions(), model, options);
  const auto summarizing = std::make_shared<MemoryKeeper>(*runtime, memory);
  summarizing->keep(kSession, "a question of some length", "an answer of some length", CallContext());
  EXPECT_EQ(model->lane.get_future().get(), Lane::background);
}

TEST_F(MemoryKeeperTest, ARuntimeThatEndsTellsThoseWhoWait) {
  Runtime other;
  std::vector<std::future<void>> waits;
  for (const Ticket& ticket : {keep("held"), keep("waiting")})
    waits.push_back(other.spawn(keeper->stored(ticket, CallContext()), boost::asio::use_future));
  wait_until_asked(1);
  runtime.reset();
  for (std::future<void>& wait : waits) EXPECT_ANY_THROW(wait.get());
  EXPECT_EQ(error_of([&] { other.run(keeper->stored(keep("late"), CallContext())); }).errc(), Errc::closed);
  EXPECT_EQ(sessions->asked(), std::vector<std::string>{"held"});
}

}  // namespace
}  // namespace ragstone::test
