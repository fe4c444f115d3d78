#pragma once

#include "store/sqlite/state.hpp"

#include <memory>
#include <thread>

namespace ragstone::sqlite {

/// Asks the system, on a thread of its own, to read the sealed parts of a state into memory: first the small ones.
/// Ends when it is destroyed. Does nothing where the system gives no thread.
class WarmUp {
 public:
  explicit WarmUp(std::shared_ptr<const State> state);

 private:
  std::jthread thread_;
};

}  // namespace ragstone::sqlite
