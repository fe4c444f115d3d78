#pragma once

#include "store/sqlite/state.hpp"

#include <mutex>
#include <set>
#include <utility>

namespace ragstone::sqlite {

/// Parts in which somebody met damaged bytes, for whoever can heal them. Thread-safe.
class DamageLog {
 public:
  void suspect(PartNumber part) {
    const std::lock_guard lock(mutex_);
    parts_.insert(part);
  }
  void suspect(const Column& column) {
    const std::lock_guard lock(mutex_);
    for (const Part& part : column.parts) parts_.insert(part.number);
  }
  /// Gives what was reported, and forgets it.
  std::set<PartNumber> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(parts_, {});
  }

 private:
  std::mutex mutex_;
  std::set<PartNumber> parts_;
};

}  // namespace ragstone::sqlite
