#include "support/counting_executor.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace ragstone::test {
namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr std::chrono::milliseconds kLimit{50};
#else
constexpr std::chrono::milliseconds kLimit{5};
#endif

thread_local bool measuring = false;

/// The kernel's account of this thread: nanoseconds on a CPU and nanoseconds ready but waiting for one.
class SchedStat {
 public:
  SchedStat() : file_(open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)) {}
  SchedStat(const SchedStat&) = delete;
  SchedStat& operator=(const SchedStat&) = delete;
  ~SchedStat() {
    if (file_ >= 0) close(file_);
  }

  std::int64_t queued() const {
    std::array<char, 128> text{};
    long long cpu = 0;
    long long queued = 0;
    if (file_ < 0 || pread(file_, text.data(), text.size() - 1, 0) <= 0) return 0;
    return std::sscanf(text.data(), "%lld %lld", &cpu, &queued) == 2 ? queued : 0;
  }

 private:
  int file_;
};

std::int64_t nanoseconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

std::int64_t queued_time() {
  thread_local const SchedStat stat;
  return stat.queued();
}

std::int64_t voluntary_switches() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}

template <class T>
void raise(std::atomic<T>& maximum, T value) {
  T seen = maximum.load();
  while (seen < value && !maximum.compare_exchange_weak(seen, value)) {
  }
}

}  // namespace

HandlerMeter::HandlerMeter() : HandlerMeter(kLimit, kLimit) {}

HandlerMeter::Scope::Scope(HandlerMeter& meter) : meter_(meter), outermost_(!std::exchange(measuring, true)) {
  if (!outermost_) return;
  switches_ = voluntary_switches();
  queued_ = queued_time();
  wall_ = nanoseconds(CLOCK_MONOTONIC);
  cpu_ = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
}

HandlerMeter::Scope::~Scope() {
  if (!outermost_) return;
  measuring = false;
  const std::int64_t cpu = nanoseconds(CLOCK_THREAD_CPUTIME_ID) - cpu_;
  const std::int64_t wall = nanoseconds(CLOCK_MONOTONIC) - wall_;
  const std::int64_t sleep = voluntary_switches() == switches_ ? 0 : wall - cpu - (queued_time() - queued_);
  meter_.add(Duration(cpu), Duration(std::max<std::int64_t>(0, sleep)));
}

void HandlerMeter::add(Duration cpu, Duration sleep) {
  ++handlers_;
  if (cpu > cpu_limit_) ++slow_;
  if (sleep > sleep_limit_) ++blocking_;
  raise(longest_cpu_, cpu.count());
  raise(longest_sleep_, sleep.count());
}

}  // namespace ragstone::test
