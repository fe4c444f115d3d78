#include <ragstone/async/offload.hpp>
#include <ragstone/base/error.hpp>
#include <ragstone/model/sqlite_store.hpp>

#include <chrono>
#include <utility>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace ragstone {
namespace {

constexpr auto kPause = std::chrono::milliseconds(10);

class SqliteStoreFactory final : public StoreFactory {
 public:
  SqliteStoreFactory(std::filesystem::path folder, const SqliteOptions& options)
      : folder_(std::move(folder)), options_(options) {}

 private:
  /// A thread of the pool that waited for the lock would keep it from whoever is about to release it: the coroutine
  /// waits.
  Task<std::shared_ptr<Store>> do_open(Pool pool, CallContext) override {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point begin = Clock::now();
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    std::shared_ptr<StoreEngine> engine;
    while (!engine) {
      const bool is_last = Clock::now() - begin >= options_.lock_timeout;
      Task<std::shared_ptr<StoreEngine>> attempt = try_to_open(pool, is_last);
      engine = co_await std::move(attempt);
      if (engine) break;
      timer.expires_after(kPause);
      co_await timer.async_wait(boost::asio::use_awaitable);
    }
    co_return embedded_store(std::move(engine), std::move(pool));
  }

  /// None where another writer has it, unless this is the last attempt: then Errc::locked.
  Task<std::shared_ptr<StoreEngine>> try_to_open(Pool pool, bool is_last) {
    Work<std::shared_ptr<StoreEngine>> work;
    SqliteOptions options = options_;
    options.lock_timeout = std::chrono::milliseconds(0);
    work.set([folder = folder_, options, is_last](const StopToken&) -> std::shared_ptr<StoreEngine> {
      try {
        return sqlite_engine(folder, options);
      } catch (const Error& error) {
        if (error.errc() != Errc::locked || is_last) throw;
        return nullptr;
      }
    });
    return offload(std::move(pool), Lane::background, std::move(work));
  }

  const std::filesystem::path folder_;
  const SqliteOptions options_;
};

}  // namespace

std::shared_ptr<StoreFactory> sqlite_store(std::filesystem::path folder, SqliteOptions options) {
  return std::make_shared<SqliteStoreFactory>(std::move(folder), options);
}

}  // namespace ragstone
