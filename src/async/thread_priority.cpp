#include "async/thread_priority.hpp"

#ifdef __linux__
#include <chrono>
#include <cstdint>

#include <linux/sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace ragstone::detail {

#ifdef __linux__
namespace {

/// What sched_setattr(2) takes, in its first version; C libraries before glibc 2.41 do not declare it.
struct Attributes {
  std::uint32_t size = sizeof(Attributes);
  std::uint32_t policy = 0;
  std::uint64_t flags = SCHED_FLAG_KEEP_POLICY;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t slice = 0;  ///< In nanoseconds.
  std::uint64_t deadline = 0;
  std::uint64_t period = 0;
};
static_assert(sizeof(Attributes) == 48);

// A thread that wakes up with a shorter slice takes the core of one that computes, instead of waiting for a tick (Linux
// 6.12 and later; earlier ones take no notice). Slices are 3 ms at most where nobody sets them.
constexpr std::chrono::nanoseconds kLongSlice = std::chrono::milliseconds(10);

}  // namespace

void lower_priority(int niceness) noexcept {
  const auto thread = static_cast<id_t>(::gettid());
  if (niceness <= ::getpriority(PRIO_PROCESS, thread)) return;
  Attributes attributes;
  attributes.nice = niceness;
  attributes.slice = static_cast<std::uint64_t>(kLongSlice.count());
  if (::syscall(SYS_sched_setattr, thread, &attributes, 0U) != 0) ::setpriority(PRIO_PROCESS, thread, niceness);
}
#else
void lower_priority(int) noexcept {}
#endif

}  // namespace ragstone::detail
