#include "support/faults/wall_clock.hpp"

#include <atomic>

#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

namespace ragstone::test {
namespace {

constinit std::atomic<long> ahead{0};

}  // namespace

void set_wall_clock_ahead(std::chrono::seconds by) noexcept { ahead = by.count(); }

}  // namespace ragstone::test

extern "C" int clock_gettime(clockid_t clock, timespec* to) noexcept {
  const long result = ::syscall(SYS_clock_gettime, clock, to);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) to->tv_sec += ragstone::test::ahead;
  return static_cast<int>(result);
}

extern "C" int gettimeofday(timeval* to, void*) noexcept {
  timespec now{};
  const int result = clock_gettime(CLOCK_REALTIME, &now);
  *to = {now.tv_sec, now.tv_nsec / 1000};
  return result;
}

extern "C" time_t time(time_t* to) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (to != nullptr) *to = now.tv_sec;
  return now.tv_sec;
}
