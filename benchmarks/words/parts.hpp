#pragma once

#include "support/report.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include <time.h>

namespace ragstone::bench {

/// The words, in the order of the file; every tenth if `quick`. Throws std::runtime_error without data.
std::vector<std::string> load_words(bool quick);

void measure_bare(const std::vector<std::string>& words, Report& report);
void measure_retrievers(const std::vector<std::string>& words, Report& report);

using Clock = std::chrono::steady_clock;

inline double microseconds(Clock::duration time) { return std::chrono::duration<double, std::micro>(time).count(); }

/// The numbers 0 to n - 1 in an order that no cache foresees.
inline std::vector<std::size_t> shuffled(std::size_t n) {
  std::vector<std::size_t> order(n);
  for (std::size_t i = 0; i < n; ++i) order[i] = i;
  std::shuffle(order.begin(), order.end(), std::mt19937(7));
  return order;
}

/// The time that this thread has computed: what else runs on the machine is not in it.
inline Clock::duration thread_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

inline Clock::duration wall_time() { return Clock::now().time_since_epoch(); }

/// Time of each call by `clock`, sorted.
template <class Call>
std::vector<double> times_of(std::size_t calls, Clock::duration (*clock)(), Call call) {
  std::vector<double> times(calls);
  for (std::size_t i = 0; i < calls; ++i) {
    const auto start = clock();
    call(i);
    times[i] = microseconds(clock() - start);
  }
  std::sort(times.begin(), times.end());
  return times;
}

inline double quantile(const std::vector<double>& sorted, double share) {
  return sorted.empty() ? 0 : sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

/// p50 and p99 of sorted times.
inline void report_times(Report& report, const std::string& name, const std::vector<double>& times) {
  report.figure(name + ", p50", quantile(times, 0.5), "us");
  report.figure(name + ", p99", quantile(times, 0.99), "us");
}

}  // namespace ragstone::bench
