#include "async/look_out.hpp"
#include "async/thread_priority.hpp"

#include <algorithm>
#include <thread>

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
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

}  // namespace
}  // namespace ragstone::test
