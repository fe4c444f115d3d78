#include "store/sqlite/first_use.hpp"

#include "store/sqlite/heal.hpp"
#include <ragstone/base/error.hpp>

#include <optional>
#include <string>

namespace ragstone::sqlite {

void refuse_damaged(PartNumber part) {
  throw Error(Errc::corrupt_store, "store: part " + std::to_string(part) +
                                       " is damaged; maintain() takes out what is lost, and the next sync makes it "
                                       "anew");
}

void FirstUse::check(const State& state, DefinitionNumber definition, const StopToken& stop) {
  const Column* column = is_asked_ ? state.column(definition) : nullptr;
  if (column == nullptr) return;
  for (const Part& part : column->parts)
    if (!is_sound(state, part.number, stop)) refuse_damaged(part.number);
}

bool FirstUse::is_sound(const State& state, PartNumber part, const StopToken& stop) {
  if (is_known(part)) return true;
  const std::optional<PartDamage> damage = find_damage(state, part, stop);
  if (damage && (damage->is_whole || damage->is_derived || !damage->rows.empty())) {
    damage_.suspect(part);
    return false;
  }
  const std::lock_guard lock(mutex_);
  sound_.insert(part);
  return true;
}

bool FirstUse::is_known(PartNumber part) const {
  const std::lock_guard lock(mutex_);
  return sound_.contains(part);
}

}  // namespace ragstone::sqlite
