#include "unit/async/bed.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace ragstone::test {

namespace asio = boost::asio;

std::string name_of(Place place) {
  switch (place) {
    case Place::one_thread:
      return "OneThread";
    case Place::strand:
      return "Strand";
    case Place::raw_pool:
      return "RawPool";
    case Place::own_loop:
      return "OwnLoop";
  }
  return "Unknown";
}

void Started::cancel() { cancel_(); }

Bed::Bed(Place place, std::size_t pool_threads) : place_(place) {
  RuntimeOptions options;
  options.threads = pool_threads;
  if (place == Place::own_loop) {
    runtime_.emplace(options);
  } else if (place == Place::one_thread) {
    work_.emplace(context_.get_executor());
    thread_ = std::thread([this] { context_.run(); });
    runtime_.emplace(context_.get_executor(), options);
  } else {
    threads_.emplace(4);
    runtime_.emplace(threads_->get_executor(), options);
  }
}

Bed::~Bed() {
  runtime_.reset();
  work_.reset();
  if (thread_.joinable()) thread_.join();
  if (threads_) threads_->join();
  EXPECT_EQ(alive(), 0u) << "objects left behind";
}

asio::any_io_executor Bed::caller_executor() {
  if (place_ == Place::strand) return asio::make_strand(threads_->get_executor());
  return context_.get_executor();
}

Task<void> yield(int times) {
  for (int i = 0; i < times; ++i) co_await asio::post(asio::use_awaitable);
}

Task<void> pause(std::chrono::microseconds duration) {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, duration);
  co_await timer.async_wait(asio::use_awaitable);
}

Task<void> forever() {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, asio::steady_timer::time_point::max());
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace ragstone::test
