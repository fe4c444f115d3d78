#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>

namespace ragstone::test {

class PowerLossDisk;

/// What a store asks of the operating system.
enum class IoCall {
  create,  ///< A file that is not there.
  open,
  read,
  write,
  truncate,
  sync,
  size,
  access,
  lock,
  remove,
  rename,
  make_directory,
  sync_directory,
  list,
};

enum class Fault {
  io_error,     ///< EIO, for any call. A failed write has changed nothing.
  short_write,  ///< Half of the bytes are written, then EIO.
  failed_sync,  ///< EIO, for syncs of files and folders.
  full,         ///< ENOSPC, for calls that may need space, as syncs do where it is given late.
};

/// Which of the calls that the shims (FaultyVfs, FaultyFileSystem) see fail. Both count into one plan, in the order in
/// which the calls happen. Thread-safe.
class FaultPlan {
 public:
  FaultPlan();
  /// With a disk that notes what the shims do.
  explicit FaultPlan(std::shared_ptr<PowerLossDisk> disk);

  /// Of the calls that can fail so, that number, counted from 0 from now on, fails; with `for_good` all later ones do
  /// too.
  void fail(std::size_t call, Fault fault, bool for_good);
  /// The process kills itself (SIGKILL) at the call of that number, counted from 0 from now on: before the call, or,
  /// for a write with `halfway`, when half of it is written.
  void kill(std::size_t call, bool halfway);
  /// No more faults; has_failed() stays.
  void heal();
  /// No more faults; counts from 0.
  void reset();
  /// Calls since the last fail(), kill() or reset().
  std::size_t calls() const;
  /// Of those, the ones that could have failed as fail() said.
  std::size_t candidates() const;
  /// True if some call has failed on purpose since then.
  bool has_failed() const;

  PowerLossDisk* disk() const noexcept { return disk_.get(); }

  /// For the shims: counts a call and tells whether it is to fail, and how.
  std::optional<Fault> next(IoCall call);
  /// For the shims: true if the write that was just counted is to be cut in half by a kill.
  bool kills_halfway() const;
  /// The system's error number of the last fault.
  int last_error() const;

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<PowerLossDisk> disk_;
  std::size_t calls_ = 0;
  std::size_t candidates_ = 0;
  std::optional<std::size_t> fail_at_;
  Fault fault_ = Fault::io_error;
  bool for_good_ = false;
  std::optional<std::size_t> kill_at_;
  bool halfway_ = false;
  bool halfway_now_ = false;
  bool has_failed_ = false;
  int last_error_ = 0;
};

/// Ends the process as the kernel would.
[[noreturn]] void kill_this_process();

}  // namespace ragstone::test
