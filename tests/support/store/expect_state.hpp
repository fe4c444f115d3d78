#pragma once

#include "support/store/store_history.hpp"
#include <ragstone/store/snapshot.hpp>

namespace ragstone::test {

/// Expects all that a snapshot tells to be the state of its generation: sources, texts, nodes, rankings by words and by
/// vectors, vectors by content, and the change log.
void expect_state(const StoreSnapshot& snapshot, StoreHistory& history);

}  // namespace ragstone::test
