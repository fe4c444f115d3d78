#pragma once

#include "store/segment/part.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace ragstone::segment {

/// A live row of one of the parts that are merged.
struct PlannedRow {
  NodeId node = 0;
  std::uint32_t part = 0;
  std::uint32_t row = 0;
};

/// The live rows of several views, by node. Errors: Errc::limit_exceeded for more rows than a part can have;
/// Errc::corrupt_store if a node is live twice.
template <class View>
std::vector<PlannedRow> plan_merge(std::span<const View> views) {
  std::size_t count = 0;
  for (const View& view : views) count += view.part->rows() - std::min(view.part->rows(), view.dead.count());
  if (count > UINT32_MAX)
    throw Error(Errc::limit_exceeded, "merge segments: " + std::to_string(count) + " rows are more than one can hold");
  std::vector<PlannedRow> plan;
  plan.reserve(count);
  for (std::uint32_t part = 0; part < views.size(); ++part)
    for (std::uint32_t row = 0; row < views[part].part->rows(); ++row)
      if (!views[part].dead.contains(row)) plan.push_back({views[part].part->node(row), part, row});
  const auto by_node = [](const PlannedRow& a, const PlannedRow& b) { return a.node < b.node; };
  if (!std::is_sorted(plan.begin(), plan.end(), by_node)) std::sort(plan.begin(), plan.end(), by_node);
  const auto same_node = [](const PlannedRow& a, const PlannedRow& b) { return a.node == b.node; };
  if (std::adjacent_find(plan.begin(), plan.end(), same_node) != plan.end())
    throw Error(Errc::corrupt_store, "merge segments: a node is live twice; verify the store, then recover it");
  return plan;
}

}  // namespace ragstone::segment
