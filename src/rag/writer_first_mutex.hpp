#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace ragstone {

/// A lock that readers share. While a writer waits no new reader gets in, so that readers which follow one another
/// cannot keep it out. A thread must not take it twice.
class WriterFirstMutex {
 public:
  void lock() {
    std::unique_lock lock(mutex_);
    ++waiting_writers_;
    changed_.wait(lock, [this] { return readers_ == 0 && !is_writing_; });
    --waiting_writers_;
    is_writing_ = true;
  }
  void unlock() {
    {
      const std::lock_guard lock(mutex_);
      is_writing_ = false;
    }
    changed_.notify_all();
  }
  void lock_shared() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_writers_ == 0 && !is_writing_; });
    ++readers_;
  }
  void unlock_shared() {
    bool is_wanted = false;
    {
      const std::lock_guard lock(mutex_);
      is_wanted = --readers_ == 0 && waiting_writers_ > 0;
    }
    if (is_wanted) changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t readers_ = 0;
  std::size_t waiting_writers_ = 0;
  bool is_writing_ = false;
};

}  // namespace ragstone
