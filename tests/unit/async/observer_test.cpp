#include "unit/async/bed.hpp"
#include <ragstone/async/observer.hpp>
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

using namespace std::chrono_literals;

class Recorder final : public Observer {
 public:
  std::vector<Event> events;

 private:
  void on_event(const Event& event) override { events.push_back(event); }
};

class Thrower final : public Observer {
 private:
  void on_event(const Event&) override { throw std::runtime_error("no"); }
};

TEST(CallContext, IsEmptyByDefault) {
  const CallContext context;
  EXPECT_FALSE(context.deadline());
  EXPECT_FALSE(context.observed());
  EXPECT_EQ(context.run_id(), Hash128());
  EXPECT_TRUE(context.tags().empty());
}

TEST(CallContext, DeadlinesOnlyGetShorter) {
  const auto now = CallContext::Clock::now();
  const CallContext context = CallContext().with_deadline(now + 1h);
  EXPECT_EQ(context.with_deadline(now + 2h).deadline(), now + 1h);
  EXPECT_EQ(context.with_deadline(now + 1min).deadline(), now + 1min);
  EXPECT_LT(*context.with_timeout(1min).deadline(), now + 30min);
  EXPECT_EQ(context.deadline(), now + 1h);
  EXPECT_EQ(CallContext().with_timeout(CallContext::Clock::duration::max()).deadline(),
            CallContext::Clock::time_point::max());
}

// CB-5
TEST(CallContext, ChildrenInheritAndBelongToOneTrace) {
  const CallContext root = CallContext().with_tag("web").with_metadata("user", std::string("张三")).child();
  const CallContext child = root.child();
  EXPECT_EQ(root.parent_run_id(), Hash128());
  EXPECT_EQ(root.trace_id(), root.run_id());
  EXPECT_EQ(child.parent_run_id(), root.run_id());
  EXPECT_EQ(child.trace_id(), root.run_id());
  EXPECT_NE(child.run_id(), root.run_id());
  EXPECT_EQ(child.tags(), std::vector<std::string>{"web"});
  EXPECT_EQ(child.metadata().text("user"), "张三");
  const Hash128 trace = hash128("outer");
  EXPECT_EQ(CallContext().with_trace_id(trace).child().trace_id(), trace);
}

TEST(CallContext, KeepsAnObserverOnce) {
  auto recorder = std::make_shared<Recorder>();
  const CallContext context = CallContext().with_observer(recorder).with_observer(recorder);
  EXPECT_EQ(context.observers().size(), 1u);
  EXPECT_EQ(code_of([] { CallContext().with_observer(nullptr); }), Errc::invalid_argument);
}

std::vector<EventPhase> phases(const Recorder& recorder) {
  std::vector<EventPhase> phases;
  for (const Event& event : recorder.events) phases.push_back(event.phase());
  return phases;
}

// CB-1, CB-2, CB-3
TEST(RunScope, EmitsItsEventsInOrder) {
  auto recorder = std::make_shared<Recorder>();
  const CallContext context = CallContext().with_observer(recorder).with_tag("t");
  Metadata usage;
  usage.set("tokens", 2);
  RunScope run(context, EventKind::chat, "model");
  run.token("你");
  run.token("好");
  run.retry();
  run.end(usage);
  run.end(usage);
  run.fail(nullptr);
  run.token("late");
  const std::vector<EventPhase> expected{EventPhase::start, EventPhase::token, EventPhase::token, EventPhase::retry,
                                         EventPhase::end};
  EXPECT_EQ(phases(*recorder), expected);
  for (const Event& event : recorder->events) {
    EXPECT_EQ(event.run_id(), run.context().run_id());
    EXPECT_EQ(event.kind(), EventKind::chat);
    EXPECT_EQ(event.name(), "model");
    EXPECT_EQ(event.tags(), std::vector<std::string>{"t"});
  }
  EXPECT_EQ(recorder->events[1].text(), "你");
  EXPECT_EQ(recorder->events.back().attributes(), usage);
}

TEST(RunScope, LinksNestedRuns) {
  auto recorder = std::make_shared<Recorder>();
  const CallContext context = CallContext().with_observer(recorder);
  RunScope outer(context, EventKind::query, "outer");
  RunScope inner(outer.context(), EventKind::retrieve, "inner");
  inner.end();
  outer.end();
  EXPECT_EQ(recorder->events[1].parent_run_id(), recorder->events[0].run_id());
  EXPECT_EQ(recorder->events[1].trace_id(), recorder->events[0].trace_id());
}

// CB-2
TEST(RunScope, AbandonedIsCancelled) {
  auto recorder = std::make_shared<Recorder>();
  { RunScope run(CallContext().with_observer(recorder), EventKind::embed, "e"); }
  ASSERT_EQ(recorder->events.size(), 2u);
  EXPECT_EQ(recorder->events[1].phase(), EventPhase::error);
  EXPECT_TRUE(recorder->events[1].cancelled());
}

TEST(RunScope, LeftByAnExceptionHasFailed) {
  auto recorder = std::make_shared<Recorder>();
  try {
    RunScope run(CallContext().with_observer(recorder), EventKind::embed, "e");
    throw std::runtime_error("x");
  } catch (const std::runtime_error&) {
  }
  ASSERT_EQ(recorder->events.size(), 2u);
  EXPECT_EQ(recorder->events[1].phase(), EventPhase::error);
  EXPECT_FALSE(recorder->events[1].cancelled());
  EXPECT_EQ(errc_of(recorder->events[1].error()), Errc::internal);
}

TEST(RunScope, ReportsTheErrorItIsGiven) {
  auto recorder = std::make_shared<Recorder>();
  RunScope run(CallContext().with_observer(recorder), EventKind::embed, "e");
  run.fail(std::make_exception_ptr(Error(Errc::rejected, "bad key")));
  EXPECT_EQ(errc_of(recorder->events[1].error()), Errc::rejected);
}

TEST(RunScope, SurvivesObserversThatThrow) {
  auto thrower = std::make_shared<Thrower>();
  auto recorder = std::make_shared<Recorder>();
  const CallContext context = CallContext().with_observer(thrower).with_observer(recorder);
  RunScope run(context, EventKind::load, "file");
  run.end();
  EXPECT_EQ(thrower->failed(), 2u);
  EXPECT_EQ(recorder->events.size(), 2u);
}

// CB-4
TEST(RunScope, TellsTheLogOncePerKindOfEventThatAnObserverFails) {
  std::vector<std::string> lines;
  auto thrower = std::make_shared<Thrower>();
  thrower->log_failures_to(LogSink([&lines](LogLevel, std::string_view line) { lines.emplace_back(line); }));
  const CallContext context = CallContext().with_observer(thrower);
  for (int i = 0; i < 3; ++i) RunScope(context, EventKind::load, "file").end();
  RunScope(context, EventKind::embed, "e").end();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_NE(lines[0].find("at the start of a load run"), std::string::npos) << lines[0];
  EXPECT_EQ(thrower->failed(), 8u);
}

/// Throws at one phase.
class Raiser final : public Observer {
 public:
  explicit Raiser(EventPhase phase) : phase_(phase) { raise_errors(); }

 private:
  void on_event(const Event& event) override {
    if (event.phase() == phase_) throw std::runtime_error("no");
  }
  EventPhase phase_;
};

// CB-4, CB-2
TEST(RunScope, FailsWithAnObserverThatRaisesItsErrorsAfterTellingTheOthers) {
  for (const EventPhase phase : {EventPhase::start, EventPhase::token, EventPhase::end, EventPhase::error}) {
    auto recorder = std::make_shared<Recorder>();
    const auto context = CallContext().with_observer(std::make_shared<Raiser>(phase)).with_observer(recorder);
    const auto run_once = [&] {
      RunScope run(context, EventKind::chat, "model");
      run.token("你好");
      if (phase == EventPhase::error) run.fail(std::make_exception_ptr(Error(Errc::rejected, "bad")));
      run.end();
    };
    if (phase == EventPhase::error) {
      EXPECT_NO_THROW(run_once());
    } else {
      EXPECT_THROW(run_once(), std::runtime_error) << name_of(phase);
    }
    const auto seen = phases(*recorder);
    EXPECT_NE(std::find(seen.begin(), seen.end(), phase), seen.end()) << name_of(phase);
    EXPECT_EQ(
        std::count(seen.begin(), seen.end(), EventPhase::end) + std::count(seen.begin(), seen.end(), EventPhase::error),
        1)
        << name_of(phase);
  }
}

// CB-3
TEST(RunScope, TellsInlineObserversInTheirOrder) {
  std::string order;
  const auto context = CallContext()
                           .with_observer(log_observer([&order](std::string_view) { order += 'a'; }))
                           .with_observer(log_observer([&order](std::string_view) { order += 'b'; }));
  RunScope run(context, EventKind::chat, "model");
  run.token("x");
  run.end();
  EXPECT_EQ(order, "ababab");
}

class TokenHater final : public Observer {
 public:
  bool wants_tokens() const noexcept override { return false; }
  int events = 0;

 private:
  void on_event(const Event&) override { ++events; }
};

TEST(RunScope, MakesNoTokenEventsForThoseWhoWantNone) {
  auto hater = std::make_shared<TokenHater>();
  auto recorder = std::make_shared<Recorder>();
  RunScope(CallContext().with_observer(hater).with_observer(recorder), EventKind::chat, "model").token("x");
  EXPECT_EQ(hater->events, 2);
  EXPECT_EQ(recorder->events.size(), 3u);
}

TEST(RunScope, KeepsTheContextAsItIsWithoutObservers) {
  const CallContext context = CallContext().with_tag("t");
  RunScope run(context, EventKind::load, "file");
  EXPECT_FALSE(run.observed());
  EXPECT_EQ(run.context().run_id(), Hash128());
}

TEST(LogObserver, WritesALinePerEventWithoutTheTokensText) {
  std::vector<std::string> lines;
  auto log = log_observer([&lines](std::string_view line) { lines.emplace_back(line); });
  const CallContext context = CallContext().with_observer(log).with_tag("t");
  Metadata attributes;
  attributes.set("top_k", 3);
  RunScope run(context, EventKind::chat, "model", attributes);
  run.token("secret");
  run.fail(std::make_exception_ptr(Error(Errc::rejected, "bad key")));
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_NE(lines[0].find("chat start model run="), std::string::npos);
  EXPECT_NE(lines[0].find(" tag=t top_k=3"), std::string::npos);
  EXPECT_EQ(lines[1].find("secret"), std::string::npos);
  EXPECT_NE(lines[1].find("bytes=6"), std::string::npos);
  EXPECT_NE(lines[2].find("error=rejected: bad key"), std::string::npos);
}

/// Runs whose every text tries to begin a line of its own.
void run_with_line_ends(std::shared_ptr<Observer> observer) {
  const std::string forged = "x\nquery end forged\xC2\x85\xE2\x80\xA8\xE2\x80\xA9\r\x1B[2J";
  Metadata attributes;
  attributes.set("response_id", Scalar(forged));
  const CallContext context = CallContext().with_observer(std::move(observer)).with_tag(forged);
  RunScope run(context, EventKind::chat, forged, attributes);
  run.fail(std::make_exception_ptr(Error(Errc::rejected, forged)));
  RunScope(context, EventKind::query, forged).end(attributes);
}

void expect_clean(const std::string& line) {
  for (const char* bad : {"\n", "\r", "\x1B", "\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\xA9"})
    EXPECT_EQ(line.find(bad), std::string::npos) << line;
}

TEST(LogObserver, WritesOneLinePerEventWhateverNamesAndErrorsHold) {
  std::vector<std::string> lines;
  run_with_line_ends(log_observer([&lines](std::string_view line) { lines.emplace_back(line); }));
  run_with_line_ends(log_observer(LogSink([&](LogLevel, std::string_view line) { lines.emplace_back(line); })));
  EXPECT_GE(lines.size(), 5u);
  for (const std::string& line : lines) expect_clean(line);
}

TEST(ConsoleObserver, ShowsOneLinePerRunWhateverNamesAndErrorsHold) {
  std::ostringstream out;
  run_with_line_ends(console_observer(out));
  std::istringstream text(out.str());
  std::size_t lines = 0;
  for (std::string line; std::getline(text, line); ++lines) expect_clean(line);
  EXPECT_EQ(lines, 2u) << out.str();
}

TEST(LogObserver, GivesALogFailedRunsAsWarningsAndNoTokens) {
  std::vector<std::string> lines;
  const LogSink sink(
      [&lines](LogLevel level, std::string_view line) { lines.push_back(name_of(level) + std::string(line)); },
      LogLevel::debug);
  const CallContext context = CallContext().with_observer(log_observer(sink));
  RunScope run(context, EventKind::chat, "模型");
  run.token("secret");
  run.fail(std::make_exception_ptr(Error(Errc::rejected, "bad key")));
  { RunScope cancelled(context, EventKind::embed, "e"); }
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0].find("debugchat start 模型"), 0u);
  EXPECT_EQ(lines[1].find("warningchat error"), 0u);
  EXPECT_EQ(lines[3].find("debugembed error"), 0u);
}

TEST(ConsoleObserver, ShowsEachRunBelowTheOneThatItIsPartOf) {
  std::ostringstream out;
  const CallContext context = CallContext().with_observer(console_observer(out));
  {
    RunScope outer(context, EventKind::query, "问题");
    Metadata hits;
    hits.set("hits", 3);
    RunScope(outer.context(), EventKind::retrieve, "MediumChunk").end(hits);
  }
  const std::string text = out.str();
  EXPECT_EQ(text.find("  retrieve MediumChunk "), 0u) << text;
  EXPECT_NE(text.find(" ms hits=3\nquery 问题 "), std::string::npos) << text;
  EXPECT_NE(text.find(" ms cancelled\n"), std::string::npos) << text;
}

TEST(QueuedObserver, DeliversLaterAndInOrder) {
  boost::asio::io_context context;
  auto recorder = std::make_shared<Recorder>();
  const auto queued = queued_observer(recorder, context.get_executor());
  {
    RunScope run(CallContext().with_observer(queued), EventKind::chat, "model");
    run.token("a");
    run.token("b");
    run.end();
  }
  EXPECT_TRUE(recorder->events.empty());
  context.run();
  const std::vector<EventPhase> expected{EventPhase::start, EventPhase::token, EventPhase::token, EventPhase::end};
  EXPECT_EQ(phases(*recorder), expected);
  EXPECT_EQ(queued->dropped(), 0u);
}

// CB-3
TEST(QueuedObserver, DropsOldTokensAndNothingElse) {
  boost::asio::io_context context;
  auto recorder = std::make_shared<Recorder>();
  const auto queued = queued_observer(recorder, context.get_executor(), 3);
  {
    RunScope run(CallContext().with_observer(queued), EventKind::chat, "model");
    for (const char* text : {"a", "b", "c", "d"}) run.token(text);
    run.retry();
    run.end();
  }
  context.run();
  const std::vector<EventPhase> expected{EventPhase::start, EventPhase::retry, EventPhase::end};
  EXPECT_EQ(phases(*recorder), expected);
  EXPECT_EQ(queued->dropped(), 4u);
}

// CB-3: what has room comes in the order of its arrival, tokens between others.
TEST(QueuedObserver, KeepsTheOrderOfWhatItDoesNotDrop) {
  boost::asio::io_context context;
  auto recorder = std::make_shared<Recorder>();
  const auto queued = queued_observer(recorder, context.get_executor(), 5);
  {
    RunScope run(CallContext().with_observer(queued), EventKind::chat, "model");
    run.token("dropped");
    run.token("b");
    run.retry();
    run.token("c");
    run.end();
  }
  context.run();
  const std::vector<EventPhase> expected{EventPhase::start, EventPhase::token, EventPhase::retry, EventPhase::token,
                                         EventPhase::end};
  EXPECT_EQ(phases(*recorder), expected);
  ASSERT_EQ(recorder->events.size(), 5u);
  EXPECT_EQ(recorder->events[1].text(), "b");
  EXPECT_EQ(recorder->events[3].text(), "c");
  EXPECT_EQ(queued->dropped(), 1u);
}

// CB-4
TEST(QueuedObserver, GoesOnAfterAnObserverThatRaisesItsErrors) {
  boost::asio::io_context context;
  const auto raiser = std::make_shared<Raiser>(EventPhase::start);
  const auto queued = queued_observer(raiser, context.get_executor());
  for (int i = 0; i < 3; ++i) {
    EXPECT_NO_THROW(RunScope(CallContext().with_observer(queued), EventKind::chat, "model").end());
    EXPECT_NO_THROW(context.run());
    context.restart();
  }
  EXPECT_EQ(raiser->failed(), 3u);
  EXPECT_EQ(queued->failed(), 0u);
}

TEST(QueuedObserver, MakesNoTokenEventsForOneWhoWantsNone) {
  boost::asio::io_context context;
  const auto hater = std::make_shared<TokenHater>();
  const auto queued = queued_observer(hater, context.get_executor());
  EXPECT_FALSE(queued->wants_tokens());
  RunScope(CallContext().with_observer(queued), EventKind::chat, "model").token("x");
  context.run();
  EXPECT_EQ(hater->events, 2);
}

TEST(QueuedObserver, RefusesWrongArguments) {
  boost::asio::io_context context;
  EXPECT_EQ(code_of([&] { queued_observer(nullptr, context.get_executor()); }), Errc::invalid_argument);
  EXPECT_EQ(code_of([] { queued_observer(std::make_shared<Recorder>(), {}); }), Errc::invalid_argument);
  EXPECT_EQ(code_of([&] { queued_observer(std::make_shared<Recorder>(), context.get_executor(), 0); }),
            Errc::invalid_argument);
}

}  // namespace
}  // namespace ragstone::test
