#include "http/driver_pool.hpp"

#include "http/easy_options.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <utility>

namespace ragstone::detail {
namespace {

constexpr std::size_t kDrivers = 256;

}  // namespace

DriverPool::DriverPool(boost::asio::any_io_executor executor, HttpOptions options)
    : executor_(std::move(executor)), options_(std::move(options)) {
  init_curl();
  if (options_.max_connections_per_host == 0)
    throw Error(Errc::invalid_argument, "HttpClient: max_connections_per_host is 0, so that no request could be sent");
}

std::shared_ptr<HttpDriver> DriverPool::driver(const std::string& origin, const Secret& key) {
  std::shared_ptr<HttpDriver> dropped;  // after the lock
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(drivers_.begin(), drivers_.end(), [&](const Entry& entry) {
    return entry.origin == origin && entry.key.reveal() == key.reveal();
  });
  if (found != drivers_.end()) {
    drivers_.splice(drivers_.begin(), drivers_, found);
    return found->driver;
  }
  drivers_.push_front({origin, key, std::make_shared<HttpDriver>(executor_, options_)});
  if (drivers_.size() > kDrivers) {
    dropped = std::move(drivers_.back().driver);
    drivers_.pop_back();
  }
  return drivers_.front().driver;
}

}  // namespace ragstone::detail
