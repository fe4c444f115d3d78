#pragma once

#include <ragstone/base/ids.hpp>
#include <ragstone/store/engine.hpp>

namespace ragstone::test {

/// Saves a registered index with the store: words that tell the generation, which the index holds.
void save_words(const StoreEngine& engine, Generation generation);

/// What is saved, if anything, is whole and of a generation up to the store's, whose words it has. Gives the
/// generation, or 0.
Generation expect_saved_words(const StoreEngine& engine);

}  // namespace ragstone::test
