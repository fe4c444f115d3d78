#pragma once

#include <ragstone/model/store.hpp>
#include <ragstone/store/sqlite_engine.hpp>

#include <filesystem>
#include <memory>

namespace ragstone {

/// A persistent store in a folder: see sqlite_engine(). What was parsed and embedded once is there at the next start.
std::shared_ptr<StoreFactory> sqlite_store(std::filesystem::path folder, SqliteOptions options = {});

}  // namespace ragstone
