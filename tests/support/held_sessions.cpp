#include "support/held_sessions.hpp"

#include <chrono>
#include <utility>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace ragstone::test {

void HeldSessions::allow() {
  const std::lock_guard lock(mutex_);
  is_open_ = true;
}

void HeldSessions::allow(std::size_t turns) {
  const std::lock_guard lock(mutex_);
  allowed_ += turns;
}

void HeldSessions::fail(const std::string& question, Errc code) {
  const std::lock_guard lock(mutex_);
  failures_[question] = code;
}

std::vector<std::string> HeldSessions::asked() const {
  const std::lock_guard lock(mutex_);
  return asked_;
}

bool HeldSessions::take_permission() {
  const std::lock_guard lock(mutex_);
  if (is_open_) return true;
  if (allowed_ == 0) return false;
  --allowed_;
  return true;
}

void HeldSessions::throw_if_it_fails(const std::string& question) const {
  const std::lock_guard lock(mutex_);
  const auto failure = failures_.find(question);
  if (failure != failures_.end()) throw Error(failure->second, "the medium refused it");
}

Task<SessionRecord> HeldSessions::do_append(SessionId session, Turn turn, CallContext context) {
  {
    const std::lock_guard lock(mutex_);
    asked_.push_back(turn.question);
  }
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
  while (!take_permission()) {
    timer.expires_after(std::chrono::milliseconds(1));
    co_await timer.async_wait(boost::asio::use_awaitable);
  }
  throw_if_it_fails(turn.question);
  co_return co_await inner_->append(std::move(session), std::move(turn), std::move(context));
}

Task<SessionRecord> HeldSessions::do_load(SessionId session, CallContext context) {
  return inner_->load(std::move(session), std::move(context));
}

Task<void> HeldSessions::do_drop(SessionId session, std::uint64_t last, CallContext context) {
  return inner_->drop(std::move(session), last, std::move(context));
}

Task<bool> HeldSessions::do_summarize(SessionId session, std::uint64_t expected, std::uint64_t last,
                                      std::string summary, std::uint64_t tokens, CallContext context) {
  return inner_->summarize(std::move(session), expected, last, std::move(summary), tokens, std::move(context));
}

Task<bool> HeldSessions::do_clear(SessionId session, CallContext context) {
  return inner_->clear(std::move(session), std::move(context));
}

Task<std::vector<std::string>> HeldSessions::do_names(std::string tenant, CallContext context) {
  return inner_->names(std::move(tenant), std::move(context));
}

}  // namespace ragstone::test
