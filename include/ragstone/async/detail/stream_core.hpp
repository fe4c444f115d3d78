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

  /// Gates to open when the mutex is free again: to be declared before the lock.
  class Opening {
   public:
    Opening() = default;
    Opening(const Opening&) = delete;
    Opening& operator=(const Opening&) = delete;
    ~Opening() {
      for (const Gate& gate : gates_) gate.open();
    }
    void add(const std::optional<Gate>& gate) {
      if (gate) gates_.push_back(*gate);
    }

   private:
    std::vector<Gate> gates_;
  };

  /// One push, from its beginning to its end; must not move. Throws if the stream has ended or is unread.
  class Push {
   public:
    Push(std::shared_ptr<StreamCore> core, T& item) : core_(std::move(core)), item_(item) {
      Opening reader;
      std::lock_guard lock(core_->mutex_);
      if (core_->reader_gone_) throw_cancelled();
      if (core_->ended_) throw_stream_ended();
      if (core_->items_.size() < core_->capacity_) {
        core_->append(item_, reader);
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
    Opening reader;
    std::lock_guard lock(mutex_);
    if (reader_gone_ || ended_ || items_.size() >= capacity_) return false;
    append(item, reader);
    return true;
  }

  /// The first end counts.
  void end(std::exception_ptr error) {
    Opening reader;
    std::lock_guard lock(mutex_);
    if (ended_) return;
    ended_ = true;
    error_ = std::move(error);
    wake(reader);
  }

  /// False: `item` is the next item, or empty at the end. True: `readable` opens when it is worth asking again.
  bool take_or_wait(std::optional<T>& item, std::optional<Gate>& readable) {
    Opening pusher;
    std::lock_guard lock(mutex_);
    if (!items_.empty()) {
      item.emplace(std::move(items_.front()));
      items_.pop_front();
      admit(pusher);
      return false;
    }
    if (reader_gone_) return false;
    if (ended_) {
      if (error_) std::rethrow_exception(error_);
      return false;
    }
    readable.emplace();
    reader_ = readable;
    return true;
  }

  void close_reader() noexcept {
    std::deque<T> unread;
    Opening all;
    std::lock_guard lock(mutex_);
    reader_gone_ = true;
    unread.swap(items_);
    for (Push* push : pushes_) all.add(push->gate_);
    pushes_.clear();
    wake(all);
  }

  bool reader_gone() const {
    std::lock_guard lock(mutex_);
    return reader_gone_;
  }

 private:
  void append(T& item, Opening& reader) {
    items_.push_back(std::move(item));
    wake(reader);
  }

  void wake(Opening& reader) {
    reader.add(reader_);
    reader_.reset();
  }

  /// After one item was taken out: the first push in line moves up.
  void admit(Opening& pusher) {
    if (pushes_.empty()) return;
    Push* push = pushes_.front();
    pushes_.pop_front();
    items_.push_back(std::move(push->item_));
    push->taken_ = true;
    pusher.add(push->gate_);
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
