#include <ragstone/model/store.hpp>
#include <ragstone/store/memory_engine.hpp>

#include <utility>

namespace ragstone {
namespace {

class MemoryStoreFactory final : public StoreFactory {
 private:
  Task<std::shared_ptr<Store>> do_open(Pool pool, CallContext) override {
    co_return embedded_store(memory_engine(), std::move(pool));
  }
};

}  // namespace

std::shared_ptr<StoreFactory> memory_store() { return std::make_shared<MemoryStoreFactory>(); }

}  // namespace ragstone
