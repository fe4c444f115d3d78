#include "support/faults/fault_plan.hpp"

#include "support/faults/power_loss_disk.hpp"

#include <cerrno>
#include <csignal>
#include <utility>

#include <unistd.h>

namespace ragstone::test {
namespace {

bool can_fail(IoCall call, Fault fault) {
  switch (fault) {
    case Fault::io_error:
      return true;
    case Fault::short_write:
      return call == IoCall::write;
    case Fault::failed_sync:
      return call == IoCall::sync || call == IoCall::sync_directory;
    case Fault::full:
      break;
  }
  switch (call) {
    case IoCall::create:
    case IoCall::write:
    case IoCall::truncate:
    case IoCall::sync:
    case IoCall::rename:
    case IoCall::make_directory:
    case IoCall::sync_directory:
      return true;
    default:
      return false;
  }
}

}  // namespace

void kill_this_process() {
  ::kill(::getpid(), SIGKILL);
  for (;;) ::pause();
}

FaultPlan::FaultPlan() = default;
FaultPlan::FaultPlan(std::shared_ptr<PowerLossDisk> disk) : disk_(std::move(disk)) {}

void FaultPlan::fail(std::size_t call, Fault fault, bool for_good) {
  reset();
  const std::lock_guard lock(mutex_);
  fail_at_ = call;
  fault_ = fault;
  for_good_ = for_good;
}

void FaultPlan::kill(std::size_t call, bool halfway) {
  reset();
  const std::lock_guard lock(mutex_);
  kill_at_ = call;
  halfway_ = halfway;
}

void FaultPlan::heal() {
  const std::lock_guard lock(mutex_);
  fail_at_.reset();
}

void FaultPlan::reset() {
  const std::lock_guard lock(mutex_);
  calls_ = 0;
  candidates_ = 0;
  fail_at_.reset();
  kill_at_.reset();
  halfway_now_ = false;
  has_failed_ = false;
}

std::size_t FaultPlan::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

std::size_t FaultPlan::candidates() const {
  const std::lock_guard lock(mutex_);
  return candidates_;
}

bool FaultPlan::has_failed() const {
  const std::lock_guard lock(mutex_);
  return has_failed_;
}

std::optional<Fault> FaultPlan::next(IoCall call) {
  const std::lock_guard lock(mutex_);
  const std::size_t number = calls_++;
  if (kill_at_ && number == *kill_at_) {
    halfway_now_ = halfway_ && call == IoCall::write;
    if (!halfway_now_) kill_this_process();
  }
  if (!can_fail(call, fault_)) return std::nullopt;
  const std::size_t candidate = candidates_++;
  if (!fail_at_ || (for_good_ ? candidate < *fail_at_ : candidate != *fail_at_)) return std::nullopt;
  has_failed_ = true;
  last_error_ = fault_ == Fault::full ? ENOSPC : EIO;
  return fault_;
}

bool FaultPlan::kills_halfway() const {
  const std::lock_guard lock(mutex_);
  return halfway_now_;
}

int FaultPlan::last_error() const {
  const std::lock_guard lock(mutex_);
  return last_error_;
}

}  // namespace ragstone::test
