#pragma once

#include <ragstone/async/detail/gate.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace ragstone::detail {

/// The failure of a stream whose last producer went without ending it.
std::exception_ptr producer_gone();
[[noreturn]] void throw_stream_ended();
/// Throws Errc::invalid_argument for 0.
std::size_t checked_capacity(std::size_t capacity);

/// What the two ends of a stream share. A push that finds the stream full waits in line with its item; the reader moves
/// the item in when there is room, so that order is kept and no wake-up is lost.
template <class T>
class StreamCore {
 public:
  explicit StreamCore(std::size_t capacity) : capacity_(checked_capacity(capacity)) {}

  /// One push, from its beginning to its end; must not move. Throws if the stream has ended or is unread.
  class Push {
   public:
    Push(std::shared_ptr<StreamCore> core, T& item) : core_(std::move(core)), item_(item) {
      std::lock_guard lock(core_->mutex_);
      if (core_->reader_gone_) throw_cancelled();
      if (core_->ended_) throw_stream_ended();
      if (core_->items_.size() < core_->capacity_) {
        core_->append(item_);
        taken_ = true;
      } else {
        gate_.emplace();
        core_->pushes_.push_back(this);
      }
    }
    Push(const Push&) = delete;
    Push& operator=(const Push&) = delete;
    ~Push() {
      if (!gate_) return;
      std::lock_guard lock(core_->mutex_);
      std::erase(core_->pushes_, this);
    }

    /// There is one if the item waits for room, which opens it. So does the reader's going, with the item not taken.
    const std::optional<Gate>& gate() const noexcept { return gate_; }
    bool taken() const {
      std::lock_guard lock(core_->mutex_);
      return taken_;
    }

   private:
    friend class StreamCore;

    std::shared_ptr<StreamCore> core_;
    T& item_;
    std::optional<Gate> gate_;
    bool taken_ = false;
  };

  bool try_push(T& item) {
    std::lock_guard lock(mutex_);
    if (reader_gone_ || ended_ || items_.size() >= capacity_) return false;
    append(item);
    return true;
  }

  /// The first end counts.
  void end(std::exception_ptr error) {
    std::lock_guard lock(mutex_);
    if (ended_) return;
    ended_ = true;
    error_ = std::move(error);
    wake_reader();
  }

  /// False: `item` is the next item, or empty at the end. True: `readable` opens when it is worth asking again.
  bool take_or_wait(std::optional<T>& item, std::optional<Gate>& readable) {
    std::lock_guard lock(mutex_);
    if (!items_.empty()) {
      item.emplace(std::move(items_.front()));
      items_.pop_front();
      admit();
      return false;
    }
    if (ended_) {
      if (error_) std::rethrow_exception(error_);
      return false;
    }
    readable.emplace();
    reader_.emplace(*readable);
    return true;
  }

  void close_reader() noexcept {
    std::deque<T> unread;
    std::lock_guard lock(mutex_);
    reader_gone_ = true;
    unread.swap(items_);
    for (Push* push : pushes_) push->gate_->open();
    pushes_.clear();
    wake_reader();
  }

  bool reader_gone() const {
    std::lock_guard lock(mutex_);
    return reader_gone_;
  }

 private:
  void append(T& item) {
    items_.push_back(std::move(item));
    wake_reader();
  }

  void wake_reader() {
    if (reader_) reader_->open();
    reader_.reset();
  }

  void admit() {
    while (!pushes_.empty() && items_.size() < capacity_) {
      Push* push = pushes_.front();
      pushes_.pop_front();
      items_.push_back(std::move(push->item_));
      push->taken_ = true;
      push->gate_->open();
    }
  }

  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::deque<T> items_;
  std::deque<Push*> pushes_;
  std::optional<Gate> reader_;
  bool ended_ = false;
  bool reader_gone_ = false;
  std::exception_ptr error_;
};

}  // namespace ragstone::detail
