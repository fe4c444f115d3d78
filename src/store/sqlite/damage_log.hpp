#pragma once

#include "store/sqlite/state.hpp"

#include <mutex>
#include <set>

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
  std::set<PartNumber> suspects() const {
    const std::lock_guard lock(mutex_);
    return parts_;
  }
  /// To be called once a part is healed, or turned out to be sound.
  void forget(PartNumber part) noexcept {
    const std::lock_guard lock(mutex_);
    parts_.erase(part);
  }

 private:
  mutable std::mutex mutex_;
  std::set<PartNumber> parts_;
};

}  // namespace ragstone::sqlite
