#pragma once

#include <ragstone/async/call_context.hpp>
#include <ragstone/async/detail/stream_core.hpp>
#include <ragstone/async/task.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace ragstone {

template <class T>
class StreamProducer;

/// The reading end of a bounded stream; the writing end is its producer().
///
/// An item that was pushed is read, in order, before the end of the stream is. Dropping the reading end drops unread
/// items and ends pushes with `operation_aborted`. The ends may live on different executors. One reader at a time;
/// the empty stream has ended.
template <class T>
class AsyncStream {
 public:
  AsyncStream() = default;
  /// `capacity` items wait unread before push() does. Errors: Errc::invalid_argument for 0.
  explicit AsyncStream(std::size_t capacity) : core_(std::make_shared<detail::StreamCore<T>>(capacity)) {}
  AsyncStream(AsyncStream&&) noexcept = default;
  AsyncStream& operator=(AsyncStream&& other) noexcept {
    if (this != &other) {
      close();
      core_ = std::move(other.core_);
    }
    return *this;
  }
  ~AsyncStream() { close(); }

  /// A writing end. To be called while the reading end is at hand; the stream fails with Errc::closed if the last
  /// producer goes without having ended it.
  /// Errors: Errc::closed for the empty stream.
  StreamProducer<T> producer() {
    if (!core_) detail::throw_stream_ended();
    return StreamProducer<T>(core_);
  }

  /// The next item; none once the stream has ended; the error of fail() once all items before it were read.
  /// Cancellation: terminal, no item is lost. Errors: Errc::timeout at the deadline.
  Task<std::optional<T>> next(CallContext context = {}) { return next_of(core_, std::move(context)); }

  /// Gives an item back that was read and is not needed any more, so that the producer can fill it again: a stream of
  /// texts whose reader does so allocates nothing for a text. Never needed.
  void recycle(T item) {
    if (core_) core_->recycle(std::move(item));
  }

  /// Drops the reading end.
  void close() noexcept {
    if (core_) core_->close_reader();
    core_.reset();
  }

  explicit operator bool() const noexcept { return core_ != nullptr; }

 private:
  static Task<std::optional<T>> next_of(std::shared_ptr<detail::StreamCore<T>> core, CallContext context) {
    if (!core) co_return std::nullopt;
    while (true) {
      std::optional<T> item;
      if (!core->take_or_wait(item)) co_return item;
      const detail::Wake wake = co_await core->readable().wait(context.deadline());
      detail::throw_unless_opened(wake, "stream: next");
    }
  }

  std::shared_ptr<detail::StreamCore<T>> core_;
};

/// The writing end of an AsyncStream. A cheap handle; copies write to the same stream. Thread-safe.
template <class T>
class StreamProducer {
 public:
  StreamProducer() = default;

  /// Appends an item, after waiting for room if the stream is full. Cancellation: terminal; either the item was
  /// appended, or it was not and the call throws. Errors: `operation_aborted` once the reading end is gone;
  /// Errc::closed after finish() or fail(); Errc::timeout at the deadline.
  Task<void> push(T item, CallContext context = {}) const { return push_to(end_, std::move(item), std::move(context)); }
  /// Never waits; false, and `item` is dropped, if the stream is full, ended or unread.
  bool try_push(T item) const { return end_ && end_->core()->try_push(item); }

  /// An item that the reader gave back (AsyncStream::recycle()), with what it held; none if there is none.
  std::optional<T> spare() const { return end_ ? end_->core()->spare() : std::nullopt; }

  /// Ends the stream; the first end counts. No effect on items that were pushed.
  void finish() const { fail(nullptr); }
  void fail(std::exception_ptr error) const {
    if (end_) end_->core()->end(std::move(error));
  }

  /// Whether the reading end is gone: nobody wants more.
  bool abandoned() const { return !end_ || end_->core()->reader_gone(); }
  explicit operator bool() const noexcept { return end_ != nullptr; }

 private:
  friend class AsyncStream<T>;

  /// Ends the stream when the last producer goes.
  class End {
   public:
    explicit End(std::shared_ptr<detail::StreamCore<T>> core) : core_(std::move(core)) {}
    End(const End&) = delete;
    End& operator=(const End&) = delete;
    ~End() { core_->end(detail::producer_gone()); }
    const std::shared_ptr<detail::StreamCore<T>>& core() const noexcept { return core_; }

   private:
    std::shared_ptr<detail::StreamCore<T>> core_;
  };

  explicit StreamProducer(std::shared_ptr<detail::StreamCore<T>> core) : end_(std::make_shared<End>(std::move(core))) {}

  static Task<void> push_to(std::shared_ptr<End> end, T item, CallContext context) {
    if (!end) detail::throw_stream_ended();
    typename detail::StreamCore<T>::Push push(end->core(), item);
    while (!push.settled()) {
      const detail::Wake wake = co_await push.gate().wait(context.deadline());
      if (push.settled()) break;
      detail::throw_unless_opened(wake, "stream: push");
    }
    if (!push.taken()) detail::throw_cancelled();
  }

  std::shared_ptr<End> end_;
};

}  // namespace ragstone
