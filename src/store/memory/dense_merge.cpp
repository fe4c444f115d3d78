#include "store/memory/dense_merge.hpp"

#include "store/graph_merge.hpp"
#include "store/vector_form.hpp"

#include <algorithm>
#include <utility>

namespace ragstone::memory {
namespace {

using DenseTier = Tier<DenseSegment>;

std::size_t live_rows(const DenseTier& tier) {
  const auto dead = tier.dead ? std::count(tier.dead->begin(), tier.dead->end(), true) : 0;
  return tier.live_weight - (tier.segment->entries().size() - static_cast<std::size_t>(dead));
}

/// See choose_for_graph().
std::vector<DenseTier> due_for_graph(const std::vector<DenseTier>& tiers, const segment::DenseForm& form,
                                     Upkeep upkeep) {
  std::vector<PartShape> shapes;
  for (const DenseTier& tier : tiers) shapes.push_back({live_rows(tier), tier.segment->part()->graph() != nullptr});
  const std::vector<bool> chosen = choose_for_graph(shapes, form, upkeep);
  std::vector<DenseTier> due;
  for (std::size_t i = 0; i < tiers.size(); ++i)
    if (chosen[i]) due.push_back(tiers[i]);
  return due;
}

}  // namespace

std::optional<DenseMerge> choose_merge(const State& state, Upkeep upkeep) {
  for (const auto& [name, group] : state.groups)
    for (const auto& [definition, column] : group->dense) {
      const segment::DenseForm form = form_of(state.vector_indexes, definition.key, definition.dimension);
      std::vector<DenseTier> due = due_for_graph(column.tiers.tiers(), form, upkeep);
      if (due.empty()) due = column.tiers.due([&](const DenseSegment& segment) { return !form.fits(*segment.part()); });
      if (!due.empty()) return DenseMerge{name, definition, std::move(due), form};
    }
  return std::nullopt;
}

std::optional<State> put_merged(const State& state, const DenseMerge& merge,
                                std::shared_ptr<const DenseSegment> merged) {
  const auto group = state.groups.find(merge.group);
  if (group == state.groups.end() || !group->second->dense.contains(merge.definition)) return std::nullopt;
  auto next_group = std::make_shared<GroupState>(*group->second);
  DenseColumn& column = next_group->dense.at(merge.definition);
  if (!column.tiers.replace(merge.inputs, std::move(merged))) return std::nullopt;
  column.update_dead();
  State next = state;
  next.groups[merge.group] = std::move(next_group);
  return next;
}

}  // namespace ragstone::memory
