#pragma once

#include <ragstone/store/engine.hpp>

#include <memory>

namespace ragstone {

/// A StoreEngine that keeps everything in memory.
std::shared_ptr<StoreEngine> memory_engine();

}  // namespace ragstone
