#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>

namespace ragstone::test {

/// Texts that the embedder of ingest() may have been given without an answer at any moment.
inline constexpr std::size_t kTextsInFlight = 64;
/// The key of its vectors, which are of kFineChunk.
inline constexpr char kIngestKey[] = "test";

/// Reads a dataset into a store in a folder, with embeddings kept in the cache beside it, and tells each call of the
/// embedder the number of its texts, and each source that is stored its id. Texts that are stored or cached are not
/// embedded.
void ingest(const std::filesystem::path& dataset, const std::filesystem::path& store,
            std::function<void(std::size_t texts)> on_call, std::function<void(const std::string& id)> on_stored = {});

}  // namespace ragstone::test
