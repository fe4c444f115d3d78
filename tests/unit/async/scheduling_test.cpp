#include "async/look_out.hpp"
#include "async/thread_priority.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <thread>

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ragstone::test {
namespace {

using namespace std::chrono_literals;

TEST(LookOut, RestsOnceAnotherThreadHadTheCoreForLong) {
  detail::LookOut look_out;
  const auto now = detail::LookOut::Clock::time_point(1h);
  EXPECT_TRUE(look_out.is_worthwhile(now));
  look_out.gave_way(now, now + 50us);
  EXPECT_TRUE(look_out.is_worthwhile(now + 50us));
  look_out.gave_way(now, now + 3ms);
  EXPECT_FALSE(look_out.is_worthwhile(now + 3ms));
  EXPECT_FALSE(look_out.is_worthwhile(now + 200ms));
  EXPECT_TRUE(look_out.is_worthwhile(now + 203ms));
}

int own_niceness() { return ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid())); }

TEST(ThreadPriority, IsLoweredOnlyAndForOneThread) {
  const int before = own_niceness();
  std::thread thread([&] {
    detail::lower_priority(before - 1);
    EXPECT_EQ(own_niceness(), before);
    detail::lower_priority(std::min(19, before + 5));
    EXPECT_EQ(own_niceness(), std::min(19, before + 5));
    detail::lower_priority(before);
    EXPECT_EQ(own_niceness(), std::min(19, before + 5));
  });
  thread.join();
  EXPECT_EQ(own_niceness(), before);
}

TEST(ThreadPriority, KeepsTheSchedulingPolicy) {
  std::thread thread([] {
    const sched_param parameters{};
    ASSERT_EQ(::sched_setscheduler(0, SCHED_BATCH, &parameters), 0);
    detail::lower_priority(19);
    EXPECT_EQ(::sched_getscheduler(0), SCHED_BATCH);
    EXPECT_EQ(own_niceness(), 19);
  });
  thread.join();
}

#ifdef __linux__
/// In nanoseconds; 0 where the kernel does not tell.
std::uint64_t own_slice() {
  std::array<std::uint64_t, 6> attributes{};  // struct sched_attr, whose fourth eight bytes are sched_runtime
  const long error = ::syscall(SYS_sched_getattr, 0, attributes.data(), sizeof(attributes), 0U);
  return error == 0 ? attributes[3] : 0;
}

TEST(ThreadPriority, LetsThreadsThatWakeUpGoFirst) {
  const std::uint64_t usual = own_slice();
  if (usual == 0) GTEST_SKIP() << "this kernel does not tell a thread's slice (Linux 6.12 and later do)";
  std::uint64_t lowered = 0;
  std::thread([&] {
    detail::lower_priority(19);
    lowered = own_slice();
  }).join();
  EXPECT_GT(lowered, usual);
  EXPECT_EQ(own_slice(), usual);
}
#endif

}  // namespace
}  // namespace ragstone::test
