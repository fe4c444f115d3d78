#include "support/store/conformance.hpp"
#include <ragstone/store/memory_engine.hpp>

#include <memory>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

class MemoryStoreUnderTest final : public StoreUnderTest {
 public:
  StoreEngine& engine() override { return *engine_; }

 private:
  std::shared_ptr<StoreEngine> engine_ = memory_engine();
};

std::unique_ptr<StoreUnderTest> make_memory_store() { return std::make_unique<MemoryStoreUnderTest>(); }

INSTANTIATE_TEST_SUITE_P(Memory, StoreConformance, testing::Values(StoreCase{"memory", make_memory_store}),
                         [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace ragstone::test
