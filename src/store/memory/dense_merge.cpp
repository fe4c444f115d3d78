#include "store/memory/dense_merge.hpp"

#include "store/vector_form.hpp"

#include <utility>

namespace ragstone::memory {

std::optional<DenseMerge> choose_merge(const State& state) {
  for (const auto& [name, group] : state.groups)
    for (const auto& [definition, column] : group->dense) {
      const segment::DenseForm form = form_of(state.vector_indexes, definition.key);
      std::vector<Tier<DenseSegment>> due =
          column.tiers.due([&](const DenseSegment& segment) { return !form.fits(*segment.part()); });
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
