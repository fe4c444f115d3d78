// In a program of its own, whose operator new counts.
#include "support/thread_allocations.hpp"
#include <ragstone/async/observer.hpp>
#include <ragstone/async/run_scope.hpp>

#include <cstdint>
#include <memory>
#include <string_view>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

constexpr std::string_view kToken = "a token that is too long for the small string optimisation";

std::uint64_t allocations_for_tokens(const CallContext& context, int tokens) {
  RunScope run(context, EventKind::chat, "a model with a name that is long enough to be allocated");
  const std::uint64_t before = thread_allocations();
  for (int i = 0; i < tokens; ++i) run.token(kToken);
  const std::uint64_t after = thread_allocations();
  run.end();
  return after - before;
}

class Counter final : public Observer {
 public:
  explicit Counter(bool wants) : wants_(wants) {}
  bool wants_tokens() const noexcept override { return wants_; }

 private:
  void on_event(const Event&) override {}
  bool wants_;
};

// CB-6
TEST(Allocations, TokensNeedNoneWithoutObservers) {
  const std::uint64_t before = thread_allocations();
  EXPECT_EQ(allocations_for_tokens(CallContext(), 1000), 0u);
  EXPECT_EQ(thread_allocations() - before, 0u) << "nor does the run";
}

// CB-6
TEST(Allocations, TokensNeedNoneForObserversThatWantNoTokens) {
  EXPECT_EQ(allocations_for_tokens(CallContext().with_observer(std::make_shared<Counter>(false)), 1000), 0u);
}

TEST(Allocations, TheCountIsAbleToSeeTokens) {
  EXPECT_GE(allocations_for_tokens(CallContext().with_observer(std::make_shared<Counter>(true)), 1000), 1000u);
}

}  // namespace
}  // namespace ragstone::test
