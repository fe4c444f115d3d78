#pragma once

#include <memory>

#include <ragstone/store/engine.hpp>

namespace ragstone {

/// A StoreEngine that keeps everything in memory.
std::shared_ptr<StoreEngine> memory_engine();

}  // namespace ragstone
