#pragma once

#include "store/sqlite/state.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace ragstone::sqlite {

/// A staged part that a state was loaded without.
struct UnreadPart {
  DefinitionNumber definition = 0;
  PartNumber number = 0;
  Generation commit = 0;  ///< See Part::commit.
  std::size_t rows = 0;
  std::size_t bytes = 0;  ///< Of its image.
};

/// What a state was loaded without: staged parts of vectors, which the first search by terms does not need. Whoever
/// needs them makes the whole state, once for all that share this one. Nobody changes the database before: the parts
/// would no longer be where `load` looks for them. Thread-safe.
class UnreadParts {
 public:
  explicit UnreadParts(std::vector<UnreadPart> parts) : parts_(std::move(parts)) {}

  const std::vector<UnreadPart>& parts() const noexcept { return parts_; }

  /// The whole state. `load` makes it, unless it was made before; while one thread does, others wait.
  std::shared_ptr<const State> whole(const std::function<std::shared_ptr<const State>()>& load) {
    const std::lock_guard lock(mutex_);
    if (!whole_) whole_ = load();
    return whole_;
  }

 private:
  const std::vector<UnreadPart> parts_;
  std::mutex mutex_;
  std::shared_ptr<const State> whole_;
};

}  // namespace ragstone::sqlite
