#pragma once

#include <ragstone/model/store.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ragstone::bench {

/// A store that benchmarks run over.
struct StoreKind {
  std::string name;
  bool persistent = false;
  std::function<std::shared_ptr<StoreFactory>(const std::filesystem::path&)> factory;
  std::function<std::shared_ptr<StoreEngine>(const std::filesystem::path&)> engine;
};

/// memory, sqlite (durable), sqlite fast.
const std::vector<StoreKind>& store_kinds();
/// Throws std::runtime_error.
const StoreKind& store_kind(const std::string& name);

/// Bytes of all files below a folder.
std::uint64_t folder_bytes(const std::filesystem::path& folder);

/// What the bytes of a closed sqlite store are for.
struct StoreBytes {
  std::uint64_t text = 0;
  std::uint64_t nodes = 0;     ///< Sources, nodes and what ties them together, with their B-trees.
  std::uint64_t postings = 0;  ///< Sealed and staged.
  std::uint64_t vectors = 0;   ///< Likewise.
  std::uint64_t other = 0;     ///< Change log, counters, free pages.
};
StoreBytes store_bytes(const std::filesystem::path& folder);

/// Asks the kernel to forget what it has cached of a folder's files.
void evict(const std::filesystem::path& folder);
/// Reads them all, so that they are in it.
void warm_up(const std::filesystem::path& folder);

}  // namespace ragstone::bench
