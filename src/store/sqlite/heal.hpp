#pragma once

#include "store/sqlite/apply.hpp"
#include "store/sqlite/part_rows.hpp"
#include "store/sqlite/state.hpp"
#include <ragstone/base/stop.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace ragstone::sqlite {

/// What is wrong with a part, as its own bytes tell.
struct PartDamage {
  DefinitionNumber definition = 0;
  PartNumber number = 0;
  bool is_whole = false;            ///< No row of the part can be trusted.
  std::vector<std::uint32_t> rows;  ///< Otherwise: those that are lost.
  bool is_derived = false;          ///< What can be derived from the rest is damaged too: a merge makes it anew.
};

/// Reads all of a part. None if nothing is damaged, or there is no such part.
std::optional<PartDamage> find_damage(const State& state, PartNumber number, const StopToken& stop);

/// Takes the lost rows out of their column, in an open transaction, and notes which sources lost some.
State apply_healing(Database& database, const State& state, const PartDamage& damage, FileChanges& files);

/// The same where parts could not be opened: the state was loaded without them. Their files are the caller's.
State apply_losses(Database& database, const State& state, std::span<const LostPart> lost);

}  // namespace ragstone::sqlite
