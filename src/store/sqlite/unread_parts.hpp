#pragma once

#include "store/sqlite/part_rows.hpp"
#include "store/sqlite/state.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ragstone::sqlite {

/// What the database says of a part beside its image.
struct PartRow {
  DefinitionNumber definition = 0;
  Part part;  ///< Without data.
  std::size_t rows = 0;
  std::size_t image_bytes = 0;  ///< Of a staged one.
  std::string dead;             ///< See segment::DeadRows::parse().
};

/// A state with all parts but those that are damaged.
struct CompleteState {
  std::shared_ptr<const State> state;
  std::vector<LostPart> lost;
};

/// What a state was loaded without: staged parts of vectors, which the first search by terms does not need. Whoever
/// needs them reads them, once for all that share this one. Nobody changes the database before: the parts would no
/// longer be where `load` looks for them. Thread-safe.
class UnreadParts {
 public:
  explicit UnreadParts(std::vector<PartRow> parts) : parts_(std::move(parts)) {}

  const std::vector<PartRow>& parts() const noexcept { return parts_; }

  /// `load` is called unless it has given a state before; while one thread does, others wait.
  CompleteState whole(const std::function<CompleteState()>& load) {
    const std::lock_guard lock(mutex_);
    if (!whole_) whole_ = load();
    return *whole_;
  }

 private:
  const std::vector<PartRow> parts_;
  std::mutex mutex_;
  std::optional<CompleteState> whole_;
};

}  // namespace ragstone::sqlite
