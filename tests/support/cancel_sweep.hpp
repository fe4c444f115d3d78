#pragma once

#include <ragstone/async/task.hpp>
#include <ragstone/base/error.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace ragstone::test {

/// Cancels an operation at every point at which it waits (requirement C1): `make(k)` gives the task of the k-th run,
/// which is cancelled after k handlers of the loop have run; the sweep is over when a run ends before that. Each must
/// end by the cancellation or with its result, and leave nothing waiting in the loop; then `check(k, was_cancelled)` is
/// called. How many runs were cancelled.
template <class Make, class Check>
std::size_t cancel_at_every_await(boost::asio::io_context& loop, Make make, Check check) {
  std::size_t cancelled = 0;
  bool completed = false;
  for (std::size_t k = 0; !completed; ++k) {
    if (k > 5'000) {
      ADD_FAILURE() << "the operation does not end";
      break;
    }
    auto task = make(k);
    boost::asio::cancellation_signal signal;
    std::optional<std::exception_ptr> end;
    const auto on_end = [&end](std::exception_ptr error, const auto&...) { end = error; };
    loop.restart();
    boost::asio::co_spawn(loop, std::move(task), boost::asio::bind_cancellation_slot(signal.slot(), on_end));
    for (std::size_t i = 0; i < k && !end; ++i) loop.run_one_for(std::chrono::milliseconds(100));
    completed = end.has_value();
    if (!end) signal.emit(boost::asio::cancellation_type::terminal);
    loop.run_for(std::chrono::seconds(20));
    if (!end || !loop.stopped()) {
      ADD_FAILURE() << "cancelled after " << k << " handlers: " << (end ? "something still waits" : "it hangs");
      break;
    }
    if (*end) {
      EXPECT_TRUE(is_cancelled(*end)) << "cancelled after " << k << " handlers: " << message_of(*end);
      EXPECT_FALSE(completed) << message_of(*end);
      ++cancelled;
    }
    check(k, static_cast<bool>(*end));
    if (testing::Test::HasFailure()) break;
  }
  return cancelled;
}

}  // namespace ragstone::test
