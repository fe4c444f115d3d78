#include "support/faults/faulty_file_system.hpp"

#include "support/faults/power_loss_disk.hpp"
#include <ragstone/base/error.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ragstone::test {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void raise(Fault fault, const std::string& what) {
  throw Error(fault == Fault::full ? Errc::storage_full : Errc::io_error, what + ": a fault on purpose");
}

void count(FaultPlan& plan, IoCall call, const std::string& what) {
  if (const auto fault = plan.next(call)) raise(*fault, what);
}

class FaultyOutput final : public segment::OutputFile {
 public:
  FaultyOutput(std::shared_ptr<FaultPlan> plan, std::unique_ptr<segment::OutputFile> below, std::size_t number)
      : plan_(std::move(plan)), below_(std::move(below)), number_(number) {}

  void write(std::uint64_t offset, std::string_view bytes) override {
    const auto fault = plan_->next(IoCall::write);
    if (plan_->kills_halfway()) {
      write_part(offset, bytes.substr(0, bytes.size() / 2));
      kill_this_process();
    }
    if (fault == Fault::short_write) write_part(offset, bytes.substr(0, bytes.size() / 2));
    if (fault) raise(*fault, "Cannot write");
    write_part(offset, bytes);
  }

  void sync() override {
    PowerLossDisk* const disk = plan_->disk();
    if (const auto fault = plan_->next(IoCall::sync)) {
      if (disk) disk->sync_failed(number_);
      raise(*fault, "Cannot sync");
    }
    if (disk) disk->synced(number_);
  }

 private:
  void write_part(std::uint64_t offset, std::string_view bytes) {
    below_->write(offset, bytes);
    if (PowerLossDisk* disk = plan_->disk()) disk->written(number_, offset, bytes);
  }

  std::shared_ptr<FaultPlan> plan_;
  std::unique_ptr<segment::OutputFile> below_;
  std::size_t number_;
};

class FaultyFileSystem final : public segment::FileSystem {
 public:
  FaultyFileSystem(std::shared_ptr<FaultPlan> plan, std::shared_ptr<segment::FileSystem> below)
      : plan_(std::move(plan)), below_(std::move(below)) {}

  std::unique_ptr<segment::OutputFile> create(const fs::path& path) override {
    count(*plan_, IoCall::create, "Cannot create " + path.string());
    auto file = below_->create(path);
    const std::size_t number = disk() ? disk()->created(path) : PowerLossDisk::kOutside;
    return std::make_unique<FaultyOutput>(plan_, std::move(file), number);
  }

  void rename(const fs::path& from, const fs::path& to) override {
    count(*plan_, IoCall::rename, "Cannot rename " + from.string());
    below_->rename(from, to);
    if (disk()) disk()->renamed(from, to);
  }

  void remove(const fs::path& path) override {
    count(*plan_, IoCall::remove, "Cannot remove " + path.string());
    below_->remove(path);
    if (disk()) disk()->removed(path);
  }

  segment::FileType type_of(const fs::path& path) override {
    count(*plan_, IoCall::access, "Cannot look for " + path.string());
    return below_->type_of(path);
  }

  bool is_taken(const fs::path& path) override {
    count(*plan_, IoCall::access, "Cannot look for " + path.string());
    return below_->is_taken(path);
  }

  void create_directory(const fs::path& path) override {
    count(*plan_, IoCall::make_directory, "Cannot create the folder " + path.string());
    below_->create_directory(path);
    if (disk()) disk()->directory_made(path);
  }

  void sync_directory(const fs::path& path) override {
    count(*plan_, IoCall::sync_directory, "Cannot sync the folder " + path.string());
    if (disk()) disk()->directory_synced(path);
  }

  std::vector<std::string> list(const fs::path& folder) override {
    count(*plan_, IoCall::list, "Cannot list " + folder.string());
    return below_->list(folder);
  }

  std::shared_ptr<const segment::Image> open(const fs::path& path, bool map) override {
    count(*plan_, IoCall::open, "Cannot open " + path.string());
    return below_->open(path, map);
  }

 private:
  PowerLossDisk* disk() const { return plan_->disk(); }

  std::shared_ptr<FaultPlan> plan_;
  std::shared_ptr<segment::FileSystem> below_;
};

}  // namespace

std::shared_ptr<segment::FileSystem> faulty_file_system(std::shared_ptr<FaultPlan> plan,
                                                        std::shared_ptr<segment::FileSystem> below) {
  return std::make_shared<FaultyFileSystem>(std::move(plan), std::move(below));
}

}  // namespace ragstone::test
