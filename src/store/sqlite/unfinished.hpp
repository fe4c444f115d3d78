#pragma once

#include "store/segment/file_system.hpp"

#include <filesystem>
#include <string>

namespace ragstone::sqlite {

/// A folder beside a file or folder that is being made, `NAME.unfinished`, so that whoever sees NAME sees all of it.
/// One at a time makes NAME, in any process; what another one left there, which was ended, is removed.
class Unfinished {
 public:
  /// Makes the folder, which is empty, in one that must be there. Slashes at the end of `target` say nothing. `what`
  /// begins messages. Errors: Errc::invalid_argument for an empty path, Errc::already_exists if there is a `target`,
  /// Errc::locked while another one makes it, Errc::io_error.
  Unfinished(segment::FileSystem& files, std::filesystem::path target, std::string what);
  /// Removes the folder with what is in it.
  ~Unfinished();
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }

  /// Makes something in the folder, or the folder itself, the target, durably. On an error nothing is left of it.
  void become_target(const std::filesystem::path& made);

 private:
  void claim();
  /// Or its files would become part of what is made now.
  void remove_left() const;
  void give_up() noexcept;
  void refuse_existing() const;

  segment::FileSystem& files_;
  const std::filesystem::path target_;
  const std::filesystem::path path_;
  const std::filesystem::path lock_;
  const std::string what_;
  int claim_ = -1;  ///< A locked file beside the folder.
};

}  // namespace ragstone::sqlite
