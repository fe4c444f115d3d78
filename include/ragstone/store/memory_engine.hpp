#pragma once

#include <ragstone/store/engine.hpp>

#include <memory>

namespace ragstone {

/// A StoreEngine that keeps everything in memory. maintain() merges large segments of vectors and builds their graphs;
/// without it searches scan.
std::shared_ptr<StoreEngine> memory_engine();

}  // namespace ragstone
