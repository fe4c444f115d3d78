#include <ragstone/async/offload.hpp>
#include <ragstone/model/sqlite_store.hpp>

#include <utility>

namespace ragstone {
namespace {

class SqliteStoreFactory final : public StoreFactory {
 public:
  SqliteStoreFactory(std::filesystem::path folder, const SqliteOptions& options)
      : folder_(std::move(folder)), options_(options) {}

 private:
  Task<std::shared_ptr<Store>> do_open(Pool pool, CallContext) override {
    Work<std::shared_ptr<StoreEngine>> work;
    work.set([folder = folder_, options = options_](const StopToken&) { return sqlite_engine(folder, options); });
    std::shared_ptr<StoreEngine> engine = co_await offload(pool, Lane::background, std::move(work));
    co_return embedded_store(std::move(engine), std::move(pool));
  }

  const std::filesystem::path folder_;
  const SqliteOptions options_;
};

}  // namespace

std::shared_ptr<StoreFactory> sqlite_store(std::filesystem::path folder, SqliteOptions options) {
  return std::make_shared<SqliteStoreFactory>(std::move(folder), options);
}

}  // namespace ragstone
