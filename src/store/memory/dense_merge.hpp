#pragma once

#include "store/memory/state.hpp"
#include <ragstone/base/parallel.hpp>
#include <ragstone/base/stop.hpp>
#include <ragstone/store/upkeep.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ragstone::memory {

/// Segments of vectors up to this weight are merged by commits, larger ones by maintain(): they copy their vectors, and
/// build graphs.
inline constexpr std::size_t kDenseSettleWeight = 4096;

/// Segments of one column that should become one.
struct DenseMerge {
  std::string group;
  ColumnDefinition definition;
  std::vector<Tier<DenseSegment>> inputs;
  segment::DenseForm form;

  /// Builds the segment that takes their place; any thread. `parallel` helps with a graph.
  std::shared_ptr<const DenseSegment> carry_out(const Parallel& parallel, const StopToken& stop) const {
    return DenseSegment::merge(inputs, form, &parallel, stop);
  }
};

/// Those that a graph should span, eight of about equal size, or one that is mostly dead or has not its key's form; the
/// work that commits leave.
std::optional<DenseMerge> choose_merge(const State& state, Upkeep upkeep);

/// `state` with the merged segment in the place of its inputs; none if that does not go together with what has happened
/// since.
std::optional<State> put_merged(const State& state, const DenseMerge& merge,
                                std::shared_ptr<const DenseSegment> merged);

}  // namespace ragstone::memory
