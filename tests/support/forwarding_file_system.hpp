#pragma once

#include "store/segment/file_system.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace ragstone::test {

/// The disk; tests override the calls that they watch.
class ForwardingFileSystem : public segment::FileSystem {
 public:
  std::unique_ptr<segment::OutputFile> create(const std::filesystem::path& path) override {
    return below_->create(path);
  }
  void rename(const std::filesystem::path& from, const std::filesystem::path& to) override { below_->rename(from, to); }
  void remove(const std::filesystem::path& path) override { below_->remove(path); }
  segment::FileType type_of(const std::filesystem::path& path) override { return below_->type_of(path); }
  bool is_taken(const std::filesystem::path& path) override { return below_->is_taken(path); }
  void create_directory(const std::filesystem::path& path) override { below_->create_directory(path); }
  void sync_directory(const std::filesystem::path& path) override { below_->sync_directory(path); }
  std::vector<std::string> list(const std::filesystem::path& folder) override { return below_->list(folder); }
  std::shared_ptr<const segment::Image> open(const std::filesystem::path& path, bool map) override {
    return below_->open(path, map);
  }

 private:
  const std::shared_ptr<segment::FileSystem> below_ = segment::posix_file_system();
};

}  // namespace ragstone::test
