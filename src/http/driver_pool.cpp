#include "http/driver_pool.hpp"

#include "http/easy_options.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace ragstone::detail {
namespace {

constexpr std::size_t kDrivers = 256;
// libcurl uses no connection again that has been idle for longer.
constexpr auto kIdle = std::chrono::seconds(118);

}  // namespace

DriverPool::DriverPool(boost::asio::any_io_executor executor, HttpOptions options)
    : executor_(std::move(executor)), options_(std::move(options)) {
  init_curl();
  if (options_.max_connections_per_host == 0)
    throw Error(Errc::invalid_argument, "HttpClient: max_connections_per_host is 0, so that no request could be sent");
  for (const auto timeout :
       {options_.connect_timeout, options_.first_byte_timeout, options_.idle_timeout, options_.total_timeout})
    if (timeout.count() <= 0)
      throw Error(Errc::invalid_argument, "HttpClient: timeouts must be above 0; for no limit give a long one");
}

std::shared_ptr<HttpDriver> DriverPool::driver(const std::string& origin, const Secret& key) {
  std::vector<std::shared_ptr<HttpDriver>> dropped;  // after the lock
  const std::lock_guard lock(mutex_);
  drop_idle(dropped);
  const auto found = std::find_if(drivers_.begin(), drivers_.end(), [&](const Entry& entry) {
    return entry.origin == origin && entry.key.reveal() == key.reveal();
  });
  if (found != drivers_.end()) {
    found->asked = Clock::now();
    drivers_.splice(drivers_.begin(), drivers_, found);
    return found->driver;
  }
  drivers_.push_front({origin, key, std::make_shared<HttpDriver>(executor_, options_), Clock::now()});
  return drivers_.front().driver;
}

void DriverPool::drop_idle(std::vector<std::shared_ptr<HttpDriver>>& dropped) {
  const auto old = Clock::now() - kIdle;
  for (auto entry = drivers_.end(); entry != drivers_.begin();) {
    --entry;
    if (entry->asked > old && drivers_.size() < kDrivers) return;
    // Whose transfers run is not idle, however long ago it was asked for.
    if (entry->driver.use_count() > 1) continue;
    dropped.push_back(std::move(entry->driver));
    entry = drivers_.erase(entry);
  }
}

}  // namespace ragstone::detail
