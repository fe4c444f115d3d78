#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>

namespace ragstone::test {

/// Texts that the embedder of ingest() may have been given without an answer at any moment.
inline constexpr std::size_t kTextsInFlight = 64;

/// Reads a dataset into a store in a folder, with embeddings kept in the cache beside it, and tells each call of the
/// embedder the number of its texts. Texts that are stored or cached are not embedded.
void ingest(const std::filesystem::path& dataset, const std::filesystem::path& store,
            std::function<void(std::size_t texts)> on_call);

}  // namespace ragstone::test
