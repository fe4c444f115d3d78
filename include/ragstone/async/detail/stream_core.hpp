#pragma once

#include <ragstone/async/detail/gate.hpp>
#include <ragstone/async/detail/ring.hpp>

#include <cstddef>
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
/// the item in when there is room, so that order is kept and no wake-up is lost. Once warm it allocates nothing: gates
/// are used again.
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
      if (first_) first_->open();
      for (const Gate& gate : others_) gate.open();
    }
    void add(const Gate& gate) {
      if (first_) {
        others_.push_back(gate);
      } else {
        first_ = gate;
      }
    }

   private:
    std::optional<Gate> first_;
    std::vector<Gate> others_;
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
        gate_ = core_->spare_gate();
        core_->pushes_.push_back(this);
      }
    }
    Push(const Push&) = delete;
    Push& operator=(const Push&) = delete;
    ~Push() {
      if (!gate_) return;
      std::lock_guard lock(core_->mutex_);
      if (!taken_ && !dropped_) core_->pushes_.remove(this);
      core_->spare_gates_.push_back(*gate_);
    }

    /// False if there is something to wait for, at gate(): room for the item, or the reader's going.
    bool settled() {
      std::lock_guard lock(core_->mutex_);
      if (taken_ || dropped_) return true;
      gate_->shut();
      return false;
    }
    const Gate& gate() const noexcept { return *gate_; }
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
    bool dropped_ = false;  // the reader went
  };

  bool try_push(T& item) {
    Opening reader;
    std::lock_guard lock(mutex_);
    if (reader_gone_ || ended_ || items_.size() >= capacity_) return false;
    append(item, reader);
    return true;
  }

  /// Keeps an item that the reader is done with for spare(), as many as items may wait.
  void recycle(T item) {
    std::lock_guard lock(mutex_);
    if (!ended_ && spare_items_.size() < capacity_) spare_items_.push_back(std::move(item));
  }
  std::optional<T> spare() {
    std::optional<T> item;
    std::lock_guard lock(mutex_);
    if (!spare_items_.empty()) item.emplace(spare_items_.take_front());
    return item;
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

  /// False: `item` is the next item, or empty at the end. True: readable() opens when it is worth asking again.
  bool take_or_wait(std::optional<T>& item) {
    Opening pusher;
    std::lock_guard lock(mutex_);
    if (!items_.empty()) {
      item.emplace(items_.take_front());
      admit(pusher);
      return false;
    }
    if (reader_gone_) return false;
    if (ended_) {
      if (error_) std::rethrow_exception(error_);
      return false;
    }
    readable_.shut();
    reader_waits_ = true;
    return true;
  }
  const Gate& readable() const noexcept { return readable_; }

  void close_reader() noexcept {
    Ring<T> unread;
    Opening all;
    std::lock_guard lock(mutex_);
    reader_gone_ = true;
    unread.swap(items_);
    while (!pushes_.empty()) {
      Push* push = pushes_.take_front();
      push->dropped_ = true;
      all.add(*push->gate_);
    }
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
    if (std::exchange(reader_waits_, false)) reader.add(readable_);
  }

  Gate spare_gate() {
    if (spare_gates_.empty()) {
      spare_gates_.reserve(++gates_);  // giving one back never fails
      return Gate();
    }
    Gate gate = spare_gates_.back();
    spare_gates_.pop_back();
    return gate;
  }

  /// After one item was taken out: the first push in line moves up.
  void admit(Opening& pusher) {
    if (pushes_.empty()) return;
    Push* push = pushes_.take_front();
    items_.push_back(std::move(push->item_));
    push->taken_ = true;
    pusher.add(*push->gate_);
  }

  const std::size_t capacity_;
  mutable std::mutex mutex_;
  Ring<T> items_;
  Ring<T> spare_items_;
  Ring<Push*> pushes_;
  Gate readable_;
  bool reader_waits_ = false;
  std::vector<Gate> spare_gates_;
  std::size_t gates_ = 0;
  bool ended_ = false;
  bool reader_gone_ = false;
  std::exception_ptr error_;
};

}  // namespace ragstone::detail
