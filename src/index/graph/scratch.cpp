#include "index/graph/scratch.hpp"

#include <utility>

namespace ragstone::graph {
namespace {

constexpr std::size_t kMostKept = 16;

}  // namespace

std::unique_ptr<Scratch> ScratchPool::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      std::unique_ptr<Scratch> scratch = std::move(free_.back());
      free_.pop_back();
      return scratch;
    }
  }
  return std::make_unique<Scratch>(nodes_);
}

void ScratchPool::give_back(std::unique_ptr<Scratch> scratch) {
  scratch->clear();
  const std::lock_guard lock(mutex_);
  if (free_.size() < kMostKept) free_.push_back(std::move(scratch));
}

}  // namespace ragstone::graph
