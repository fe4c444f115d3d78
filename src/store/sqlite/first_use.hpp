#pragma once

#include "store/sqlite/damage_log.hpp"
#include "store/sqlite/state.hpp"
#include <ragstone/base/stop.hpp>

#include <mutex>
#include <set>

namespace ragstone::sqlite {

/// Throws what a search says that needs a damaged part.
[[noreturn]] void refuse_damaged(PartNumber part);

/// Compares the checksums of parts before they are used for the first time. Thread-safe.
class FirstUse {
 public:
  /// Damaged parts are told to `damage`.
  FirstUse(bool is_asked, DamageLog& damage) : is_asked_(is_asked), damage_(damage) {}

  /// Where the engine is asked to: reads the parts of a column that have not been used yet; two threads that need the
  /// same part may both read it. Errors: Errc::corrupt_store for one that has lost live rows, or what is derived from
  /// them.
  void check(const State& state, DefinitionNumber definition, const StopToken& stop);
  /// Whether a part has lost neither; reads it if it has not been used yet.
  bool is_sound(const State& state, PartNumber part, const StopToken& stop);

 private:
  bool is_known(PartNumber part) const;

  const bool is_asked_;
  DamageLog& damage_;
  mutable std::mutex mutex_;
  std::set<PartNumber> sound_;
};

}  // namespace ragstone::sqlite
