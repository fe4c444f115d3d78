#pragma once

#include "store/segment/index_folder.hpp"
#include "store/sqlite/damage_log.hpp"
#include "store/sqlite/part_rows.hpp"
#include "store/sqlite/reader_pool.hpp"
#include "store/sqlite/state.hpp"
#include <ragstone/base/stop.hpp>
#include <ragstone/store/index_files.hpp>
#include <ragstone/store/verify.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

/// What reads a store from end to end while it may be written to.
namespace ragstone::sqlite {

/// Gives the newest state, whose open parts need not be opened again.
using LatestState = std::function<std::shared_ptr<const State>()>;

/// What a store is read through while others read and write it.
struct StoreReading {
  ReaderPool& readers;
  LatestState latest;
  const PartFolder& folder;
};

/// See StoreEngine::verify(). `damage` (null: nobody) hears of parts that can be healed.
VerifyReport verify_store(const StoreReading& store, const IndexFiles& indexes, DamageLog* damage,
                          const StopToken& stop);

/// See StoreEngine::backup(): copies a store to the folder `target`.
void copy_store(const StoreReading& store, const segment::IndexFolder& indexes, const std::filesystem::path& target,
                const std::string& vfs, const StopToken& stop);

/// Copies the sessions in the folder of a store, if there are some, to another folder. What a crash left half done in
/// them is rolled back first, which takes the right to write.
void copy_sessions(segment::FileSystem& files, const std::filesystem::path& store, const std::filesystem::path& to,
                   const std::string& vfs, const StopToken& stop);

}  // namespace ragstone::sqlite
