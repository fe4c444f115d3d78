#pragma once

#include "store/segment/file_system.hpp"
#include "store/vector_form.hpp"
#include <ragstone/store/sqlite_engine.hpp>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace ragstone::sqlite {

inline constexpr char kDatabaseFile[] = "store.db";
inline constexpr char kLockFile[] = "lock";
inline constexpr char kPartFolder[] = "segments";
inline constexpr char kIndexFolder[] = "indexes";
inline constexpr char kSessionsFile[] = "sessions.db";

using MonotonicClock = std::function<std::chrono::steady_clock::time_point()>;

/// What an engine stands on; tests put other layers in place.
struct EngineHooks {
  std::shared_ptr<segment::FileSystem> files = segment::posix_file_system();
  std::string vfs;  ///< SQLite's file layer; empty: the default one.
  MonotonicClock now = std::chrono::steady_clock::now;
  std::size_t graph_rows = kGraphRowsIfAsked;  ///< See form_of().

  /// For Database.
  const char* vfs_name() const noexcept { return vfs.empty() ? nullptr : vfs.c_str(); }
};

/// sqlite_engine() over other layers.
std::shared_ptr<StoreEngine> make_engine(const std::filesystem::path& folder, const SqliteOptions& options,
                                         EngineHooks hooks);

std::shared_ptr<StoreEngine> writing_engine(const std::filesystem::path& folder, const SqliteOptions& options,
                                            EngineHooks hooks);
std::shared_ptr<StoreEngine> reading_engine(const std::filesystem::path& folder, const SqliteOptions& options,
                                            EngineHooks hooks);

StoreCapabilities sqlite_capabilities();

}  // namespace ragstone::sqlite
