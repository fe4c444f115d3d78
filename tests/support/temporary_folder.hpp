#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace ragstone::test {

/// An empty folder of its own, removed with all that is in it at the end. Its path has no links.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }
  /// Writes a file below the folder, making the folders on its way. Throws std::runtime_error.
  std::filesystem::path write(const std::filesystem::path& name, std::string_view bytes) const;

 private:
  std::filesystem::path path_;
};

/// While it lives, each TemporaryFolder that is made, in child processes too, is in a folder that must outlive it: so
/// what a child cannot remove goes with that. Not thread-safe.
class TemporaryPlace {
 public:
  explicit TemporaryPlace(const std::filesystem::path& folder);
  ~TemporaryPlace();
  TemporaryPlace(const TemporaryPlace&) = delete;
  TemporaryPlace& operator=(const TemporaryPlace&) = delete;

 private:
  std::optional<std::string> before_;
};

}  // namespace ragstone::test
