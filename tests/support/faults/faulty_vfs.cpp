#include "support/faults/faulty_vfs.hpp"

#include "support/faults/power_loss_disk.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <sqlite3.h>

namespace ragstone::test {
namespace fs = std::filesystem;
namespace {

/// What the shim knows of an open file.
struct Opened {
  FaultPlan* plan = nullptr;
  std::size_t number = PowerLossDisk::kOutside;
  std::string path;
  bool names_unsynced = false;  ///< SQLite's layer syncs the folder of a new journal or log with the file itself.
};

/// SQLite allocates this, and the file of the layer below behind it.
struct ShimFile {
  sqlite3_file base;
  Opened* opened;
};
static_assert(sizeof(ShimFile) % alignof(std::max_align_t) == 0);

ShimFile& shim_of(sqlite3_file* file) { return *reinterpret_cast<ShimFile*>(file); }
Opened& opened_of(sqlite3_file* file) { return *shim_of(file).opened; }
sqlite3_file* below(sqlite3_file* file) { return reinterpret_cast<sqlite3_file*>(&shim_of(file) + 1); }
FaultPlan& plan_of(sqlite3_file* file) { return *opened_of(file).plan; }
PowerLossDisk* disk_of(sqlite3_file* file) { return plan_of(file).disk(); }

int close_file(sqlite3_file* file) {
  const int code = below(file)->pMethods->xClose(below(file));
  delete shim_of(file).opened;
  return code;
}

int read_file(sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
  if (plan_of(file).next(IoCall::read)) return SQLITE_IOERR_READ;
  return below(file)->pMethods->xRead(below(file), to, size, offset);
}

int write_part(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
  const int code = below(file)->pMethods->xWrite(below(file), from, size, offset);
  if (PowerLossDisk* disk = disk_of(file); disk && code == SQLITE_OK)
    disk->written(opened_of(file).number, static_cast<std::uint64_t>(offset),
                  {static_cast<const char*>(from), static_cast<std::size_t>(size)});
  return code;
}

int write_file(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
  const auto fault = plan_of(file).next(IoCall::write);
  if (plan_of(file).kills_halfway()) {
    write_part(file, from, size / 2, offset);
    kill_this_process();
  }
  if (!fault) return write_part(file, from, size, offset);
  if (*fault == Fault::short_write) write_part(file, from, size / 2, offset);
  return *fault == Fault::full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  if (plan_of(file).next(IoCall::truncate)) return SQLITE_IOERR_TRUNCATE;
  const int code = below(file)->pMethods->xTruncate(below(file), size);
  if (PowerLossDisk* disk = disk_of(file); disk && code == SQLITE_OK)
    disk->truncated(opened_of(file).number, static_cast<std::uint64_t>(size));
  return code;
}

// The kernel survives what tests do to processes, so nothing is synced for real.
int sync_file(sqlite3_file* file, int) {
  Opened& opened = opened_of(file);
  PowerLossDisk* const disk = disk_of(file);
  const auto fault = opened.plan->next(IoCall::sync);
  if (disk && fault) disk->sync_failed(opened.number);
  if (disk && !fault) disk->synced(opened.number);
  if (fault) return SQLITE_IOERR_FSYNC;
  if (std::exchange(opened.names_unsynced, false) && disk) disk->directory_synced(fs::path(opened.path).parent_path());
  return SQLITE_OK;
}

int size_of_file(sqlite3_file* file, sqlite3_int64* size) {
  if (plan_of(file).next(IoCall::size)) return SQLITE_IOERR_FSTAT;
  return below(file)->pMethods->xFileSize(below(file), size);
}

int lock_file(sqlite3_file* file, int level) {
  if (plan_of(file).next(IoCall::lock)) return SQLITE_IOERR_LOCK;
  return below(file)->pMethods->xLock(below(file), level);
}

int unlock_file(sqlite3_file* file, int level) { return below(file)->pMethods->xUnlock(below(file), level); }

int check_reserved_lock(sqlite3_file* file, int* result) {
  return below(file)->pMethods->xCheckReservedLock(below(file), result);
}

int control_file(sqlite3_file* file, int operation, void* argument) {
  return below(file)->pMethods->xFileControl(below(file), operation, argument);
}

int sector_size(sqlite3_file* file) { return below(file)->pMethods->xSectorSize(below(file)); }

int device_characteristics(sqlite3_file* file) { return below(file)->pMethods->xDeviceCharacteristics(below(file)); }

int map_shared(sqlite3_file* file, int region, int size, int extend, void volatile** memory) {
  if (plan_of(file).next(extend ? IoCall::write : IoCall::open)) return SQLITE_IOERR_SHMMAP;
  return below(file)->pMethods->xShmMap(below(file), region, size, extend, memory);
}

int lock_shared(sqlite3_file* file, int offset, int count, int flags) {
  return below(file)->pMethods->xShmLock(below(file), offset, count, flags);
}

void barrier(sqlite3_file* file) { below(file)->pMethods->xShmBarrier(below(file)); }

int unmap_shared(sqlite3_file* file, int remove) { return below(file)->pMethods->xShmUnmap(below(file), remove); }

const sqlite3_io_methods kMethods = {2,
                                     close_file,
                                     read_file,
                                     write_file,
                                     truncate_file,
                                     sync_file,
                                     size_of_file,
                                     lock_file,
                                     unlock_file,
                                     check_reserved_lock,
                                     control_file,
                                     sector_size,
                                     device_characteristics,
                                     map_shared,
                                     lock_shared,
                                     barrier,
                                     unmap_shared,
                                     nullptr,
                                     nullptr};

struct Layer {
  sqlite3_vfs vfs{};
  sqlite3_vfs* below = nullptr;
  std::shared_ptr<FaultPlan> plan;
  std::string name;
};

Layer& layer_of(sqlite3_vfs* vfs) { return *static_cast<Layer*>(vfs->pAppData); }

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  Layer& layer = layer_of(vfs);
  ShimFile& shim = shim_of(file);
  shim.base.pMethods = nullptr;
  std::error_code ignored;
  const bool is_new = name && !fs::exists(name, ignored);
  if (layer.plan->next(is_new && (flags & SQLITE_OPEN_CREATE) ? IoCall::create : IoCall::open)) return SQLITE_CANTOPEN;
  sqlite3_file* real = below(file);
  std::memset(real, 0, static_cast<std::size_t>(layer.below->szOsFile));
  const int code = layer.below->xOpen(layer.below, name, real, flags, out_flags);
  if (code != SQLITE_OK) {
    if (real->pMethods) real->pMethods->xClose(real);
    return code;
  }
  auto opened = std::make_unique<Opened>();
  opened->plan = layer.plan.get();
  if (name) opened->path = name;
  if (PowerLossDisk* disk = layer.plan->disk(); disk && name) {
    opened->number = is_new ? disk->created(name) : disk->opened(name);
    opened->names_unsynced =
        is_new && (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL));
  }
  shim.opened = opened.release();
  shim.base.pMethods = &kMethods;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* name, int sync_folder) {
  Layer& layer = layer_of(vfs);
  if (layer.plan->next(IoCall::remove)) return SQLITE_IOERR_DELETE;
  const int code = layer.below->xDelete(layer.below, name, 0);
  if (PowerLossDisk* disk = layer.plan->disk(); disk && code == SQLITE_OK) {
    disk->removed(name);
    if (sync_folder) disk->directory_synced(fs::path(name).parent_path());
  }
  return code;
}

int access_file(sqlite3_vfs* vfs, const char* name, int flags, int* result) {
  Layer& layer = layer_of(vfs);
  if (layer.plan->next(IoCall::access)) return SQLITE_IOERR_ACCESS;
  return layer.below->xAccess(layer.below, name, flags, result);
}

int full_path(sqlite3_vfs* vfs, const char* name, int size, char* to) {
  return layer_of(vfs).below->xFullPathname(layer_of(vfs).below, name, size, to);
}

int randomness(sqlite3_vfs* vfs, int size, char* to) {
  return layer_of(vfs).below->xRandomness(layer_of(vfs).below, size, to);
}

int sleep(sqlite3_vfs* vfs, int microseconds) { return layer_of(vfs).below->xSleep(layer_of(vfs).below, microseconds); }

int current_time(sqlite3_vfs* vfs, double* to) { return layer_of(vfs).below->xCurrentTime(layer_of(vfs).below, to); }

int current_time64(sqlite3_vfs* vfs, sqlite3_int64* to) {
  return layer_of(vfs).below->xCurrentTimeInt64(layer_of(vfs).below, to);
}

int last_error(sqlite3_vfs* vfs, int size, char* to) {
  Layer& layer = layer_of(vfs);
  return layer.plan->has_failed() ? layer.plan->last_error() : layer.below->xGetLastError(layer.below, size, to);
}

}  // namespace

struct FaultyVfs::Registration : Layer {};

FaultyVfs::FaultyVfs(std::shared_ptr<FaultPlan> plan) : registration_(std::make_unique<Registration>()) {
  static std::atomic<unsigned> count = 0;
  Layer& layer = *registration_;
  layer.below = sqlite3_vfs_find(nullptr);
  layer.plan = std::move(plan);
  layer.name = "ragstone-faults-" + std::to_string(++count);

  sqlite3_vfs& vfs = layer.vfs;
  vfs.iVersion = 2;
  vfs.szOsFile = static_cast<int>(sizeof(ShimFile)) + layer.below->szOsFile;
  vfs.mxPathname = layer.below->mxPathname;
  vfs.zName = layer.name.c_str();
  vfs.pAppData = &layer;
  vfs.xOpen = open_file;
  vfs.xDelete = delete_file;
  vfs.xAccess = access_file;
  vfs.xFullPathname = full_path;
  vfs.xRandomness = randomness;
  vfs.xSleep = sleep;
  vfs.xCurrentTime = current_time;
  vfs.xGetLastError = last_error;
  vfs.xCurrentTimeInt64 = current_time64;
  if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK) throw std::runtime_error("sqlite3_vfs_register failed");
}

FaultyVfs::~FaultyVfs() { sqlite3_vfs_unregister(&registration_->vfs); }

const char* FaultyVfs::name() const noexcept { return registration_->name.c_str(); }

}  // namespace ragstone::test
