#include <ragstone/async/detail/operation.hpp>

#include <boost/asio/post.hpp>

namespace ragstone::detail {

void Operation::cancel(boost::asio::cancellation_type type) {
  std::lock_guard lock(mutex_);
  if (!executor_) return;
  // Emitted on the coroutine's executor and never in the middle of one of its steps.
  boost::asio::post(*executor_, [self = shared_from_this(), type] {
    if (!self->executor_) return;
    if (!self->started_) self->early_ = type;
    self->signal_.emit(type);
  });
}

void Operation::repeat_early_cancellation() {
  started_ = true;
  if (early_) signal_.emit(*early_);
}

void Operation::close() {
  std::lock_guard lock(mutex_);
  executor_.reset();
}

}  // namespace ragstone::detail
