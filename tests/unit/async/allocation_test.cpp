// Counts allocations, in a program of its own because it replaces the global operator new.
#include <ragstone/async/observer.hpp>
#include <ragstone/async/run_scope.hpp>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

#include <gtest/gtest.h>

namespace {

std::atomic<std::size_t> allocations = 0;

void* counted(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace ragstone::test {
namespace {

constexpr std::string_view kToken = "a token that is too long for the small string optimisation";

std::size_t allocations_for_tokens(const CallContext& context, int tokens) {
  RunScope run(context, EventKind::chat, "a model with a name that is long enough to be allocated");
  const std::size_t before = allocations;
  for (int i = 0; i < tokens; ++i) run.token(kToken);
  const std::size_t after = allocations;
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
  const std::size_t before = allocations;
  EXPECT_EQ(allocations_for_tokens(CallContext(), 1000), 0u);
  EXPECT_EQ(allocations - before, 0u) << "nor does the run";
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
