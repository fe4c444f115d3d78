#pragma once

#include <filesystem>
#include <string>

/// The parts of benchmarks/peers/nearest.sh that are no programs of other makes: Ragstone's persistent store
/// ("ragstone") and SQLite with the extension that RAGSTONE_SQLITE_VEC names ("sqlite-vec"), in a folder of that name
/// beside the set. They print what nearest.mjs prints.
namespace ragstone::bench {

void build_peer(const std::filesystem::path& folder, const std::string& peer);
void open_peer(const std::filesystem::path& folder, const std::string& peer);

}  // namespace ragstone::bench
