#pragma once

#include "store/memory/dense_segment.hpp"
#include "store/memory/part_column.hpp"
#include "store/memory/row_segment.hpp"
#include "store/memory/source_segment.hpp"
#include "store/memory/sparse_segment.hpp"
#include "store/memory/tiers.hpp"
#include <ragstone/index/vector_index.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace ragstone::memory {

/// The few distinct definitions that many sources share, with how many do.
template <class T>
class Uses {
 public:
  struct Use {
    std::shared_ptr<const T> value;
    std::size_t count = 0;
  };

  const std::vector<Use>& all() const noexcept { return uses_; }

  /// Counts one more use and gives the shared value.
  std::shared_ptr<const T> add(T value) {
    for (Use& use : uses_)
      if (*use.value == value) return ++use.count, use.value;
    uses_.push_back({std::make_shared<const T>(std::move(value)), 1});
    return uses_.back().value;
  }

  /// Counts one use less.
  void remove(const T& value) {
    const auto use = std::find_if(uses_.begin(), uses_.end(), [&](const Use& u) { return *u.value == value; });
    if (use != uses_.end() && --use->count == 0) uses_.erase(use);
  }

 private:
  std::vector<Use> uses_;
};

/// The vectors under one definition: those of a key may have several, of several signatures.
struct DenseColumn : PartColumn<DenseSegment> {
  std::shared_ptr<const ColumnDefinition> definition;
  std::size_t sources = 0;  ///< That have it.
};

struct SparseColumn : PartColumn<SparseSegment> {
  Uses<ColumnDefinition> definitions;
  std::uint64_t nodes = 0;   ///< Live nodes that have the column.
  std::uint64_t tokens = 0;  ///< Sum of their lengths.
};

struct GroupState {
  Tiers<RowSegment> nodes;
  Uses<GroupDefinition> definitions;
  std::map<ColumnDefinition, DenseColumn> dense;
  std::map<std::string, SparseColumn, std::less<>> sparse;  ///< By key.
};

/// All that a snapshot sees. A copy shares everything of size.
struct State {
  Generation generation = 0;
  NodeId next_id = 1;
  Tiers<SourceSegment> sources;
  std::map<std::string, std::shared_ptr<const GroupState>, std::less<>> groups;
  std::vector<std::string> fields;  ///< Declared ones, ascending.
  VectorIndexes vector_indexes;
};

}  // namespace ragstone::memory
