#include "async/notify_all.hpp"
#include <ragstone/async/detail/gate.hpp>
#include <ragstone/async/observer.hpp>
#include <ragstone/async/run_scope.hpp>
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <utility>

namespace ragstone {

RunScope::RunScope(const CallContext& parent, EventKind kind, std::string_view name, Metadata attributes)
    : context_(parent), kind_(kind) {
  if (!parent.observed()) return;
  context_ = parent.child();
  told_ = context_.without_observers();
  name_ = name;
  exceptions_in_flight_ = std::uncaught_exceptions();
  open_ = true;
  const auto& observers = context_.observers();
  tokens_wanted_ = std::any_of(observers.begin(), observers.end(), [](const auto& o) { return o->wants_tokens(); });
  try {
    emit(EventPhase::start, std::move(attributes));
  } catch (...) {
    fail(std::current_exception());
    throw;
  }
}

RunScope::~RunScope() {
  if (!open_) return;
  try {
    if (std::uncaught_exceptions() > exceptions_in_flight_) {
      fail(std::make_exception_ptr(Error(Errc::internal, name_ + ": ended by an exception")));
    } else {
      fail(detail::cancelled_error());
    }
  } catch (...) {  // no memory for the event: there is nobody left to tell
  }
}

void RunScope::token(std::string_view text) {
  if (open_ && tokens_wanted_) emit(EventPhase::token, Metadata(), text);
}

void RunScope::retry(Metadata attributes) {
  if (open_) emit(EventPhase::retry, std::move(attributes));
}

void RunScope::custom(Metadata attributes) {
  if (open_) emit(EventPhase::custom, std::move(attributes));
}

void RunScope::end(Metadata attributes) {
  if (std::exchange(open_, false)) emit(EventPhase::end, std::move(attributes));
}

void RunScope::fail(std::exception_ptr error, Metadata attributes) {
  if (!std::exchange(open_, false)) return;
  try {
    emit(EventPhase::error, std::move(attributes), {}, std::move(error));
  } catch (...) {  // an observer's exception: the run has failed already
  }
}

void RunScope::emit(EventPhase phase, Metadata attributes, std::string_view text, std::exception_ptr error) {
  const Event event(told_, kind_, phase, name_, std::move(attributes), std::string(text), std::move(error));
  detail::notify_all(context_, event);
}

void detail::notify_all(const CallContext& context, const Event& event) {
  std::exception_ptr raised;
  for (const auto& observer : context.observers()) {
    if (event.phase() == EventPhase::token && !observer->wants_tokens()) continue;
    try {
      observer->notify(event);
    } catch (...) {
      if (!raised) raised = std::current_exception();
    }
  }
  if (raised) std::rethrow_exception(raised);
}

}  // namespace ragstone
