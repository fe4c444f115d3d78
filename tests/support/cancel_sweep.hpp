#pragma once

#include <ragstone/async/task.hpp>
#include <ragstone/base/error.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

namespace ragstone::test {

/// What a sweep came to.
struct CancelSweep {
  std::size_t cancelled = 0;  ///< Runs that the cancellation ended; the others ended with their results.
  std::string problem;        ///< Of the first run that did not end as it should; empty: all did.
};

/// Cancels an operation at every point at which it waits (requirement C1): `make(k)` gives the task of the k-th run,
/// which is cancelled after k handlers of the loop have run; the sweep is over when a run ends before that. Each must
/// end by the cancellation or with its result, and leave nothing waiting in the loop; then `find_problem(k, cancelled)`
/// is asked, which says what is wrong after that run; an empty string: nothing.
template <class Make, class FindProblem>
CancelSweep cancel_at_every_await(boost::asio::io_context& loop, Make make, FindProblem find_problem) {
  CancelSweep sweep;
  bool completed = false;
  for (std::size_t k = 0; !completed && sweep.problem.empty(); ++k) {
    const std::string after = "cancelled after " + std::to_string(k) + " handlers: ";
    if (k > 5'000) {
      sweep.problem = after + "the operation does not end";
      break;
    }
    auto task = make(k);
    // What hangs keeps them.
    const auto signal = std::make_shared<boost::asio::cancellation_signal>();
    const auto ended = std::make_shared<std::optional<std::exception_ptr>>();
    const std::optional<std::exception_ptr>& end = *ended;
    const auto on_end = [ended, signal](std::exception_ptr error, const auto&...) { *ended = error; };
    loop.restart();
    boost::asio::co_spawn(loop, std::move(task), boost::asio::bind_cancellation_slot(signal->slot(), on_end));
    for (std::size_t i = 0; i < k && !end; ++i) loop.run_one_for(std::chrono::milliseconds(100));
    completed = end.has_value();
    if (!end) signal->emit(boost::asio::cancellation_type::terminal);
    loop.run_for(std::chrono::minutes(10));
    if (!end || !loop.stopped()) {
      sweep.problem = after + (end ? "something still waits" : "it hangs");
      break;
    }
    const bool failed = static_cast<bool>(*end);
    if (failed && (completed || !is_cancelled(*end))) {
      sweep.problem = after + message_of(*end);
      break;
    }
    sweep.cancelled += failed ? 1 : 0;
    if (const std::string problem = find_problem(k, failed); !problem.empty()) sweep.problem = after + problem;
  }
  return sweep;
}

}  // namespace ragstone::test
