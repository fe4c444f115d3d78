#include "store/own_threads.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

namespace ragstone {

OwnThreads OwnThreads::all_but_one() {
  return OwnThreads(std::max<std::size_t>(2, std::thread::hardware_concurrency()) - 1);
}

void OwnThreads::run(std::size_t count, const std::function<void(std::size_t)>& work) const {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto take_turns = [&] {
    try {
      for (std::size_t i = next++; i < count; i = next++) work(i);
    } catch (...) {
      next = count;
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> helpers;
    try {
      for (std::size_t i = 1; i < std::min(width_, count); ++i) helpers.emplace_back(take_turns);
    } catch (const std::system_error&) {
      // Fewer help.
    } catch (const std::bad_alloc&) {
    }
    take_turns();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace ragstone
