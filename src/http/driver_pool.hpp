#pragma once

#include "http/driver.hpp"

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace ragstone::detail {

/// The drivers of a client, one for each server and key: connections belong to a driver, so that none ever carries two
/// keys, and servers do not wait for each other's connections. Those that have no transfer and were not asked for
/// lately go, with their idle connections. Thread-safe.
class DriverPool {
 public:
  DriverPool(boost::asio::any_io_executor executor, HttpOptions options);

  /// For a request to this origin (Url::origin()).
  std::shared_ptr<HttpDriver> driver(const std::string& origin, const Secret& key);
  const HttpOptions& options() const noexcept { return options_; }

 private:
  using Clock = std::chrono::steady_clock;

  struct Entry {
    std::string origin;
    Secret key;
    std::shared_ptr<HttpDriver> driver;
    Clock::time_point asked;
  };

  void drop_idle(std::vector<std::shared_ptr<HttpDriver>>& dropped);

  const boost::asio::any_io_executor executor_;
  const HttpOptions options_;
  std::mutex mutex_;
  std::list<Entry> drivers_;  ///< The last one asked for first.
};

}  // namespace ragstone::detail
