#pragma once

#include <ragstone/async/task.hpp>

#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

namespace ragstone::test {

/// Runs a task on a caller's loop, and all that the loop has to do meanwhile.
template <class T>
T run_on(boost::asio::io_context& loop, Task<T> task) {
  auto result = boost::asio::co_spawn(loop, std::move(task), boost::asio::use_future);
  loop.restart();
  loop.run();
  return result.get();
}

}  // namespace ragstone::test
