#pragma once

#include "store/segment/file_system.hpp"
#include <ragstone/store/index_files.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace ragstone::segment {

class ImageSink;

inline constexpr char kIndexSuffix[] = ".idx";

/// Writes an index as an image of the kind `index`.
void write_index(ImageSink& sink, const Index& index, const StopToken& stop);
/// Opens one. Errors: as IndexFiles::open().
std::shared_ptr<const IndexImage> open_index(std::shared_ptr<const Image> image, const std::string& form);

/// Saved indexes as files of a folder, which is made with the first one. A folder that cannot be read is not taken for
/// an empty one: verify() tells it, and what else looks through it is an Errc::io_error.
class IndexFolder final : public IndexFiles {
 public:
  /// `map`: files are mapped, otherwise read. `writable` false: save() writes to memory.
  IndexFolder(std::shared_ptr<FileSystem> files, std::filesystem::path folder, bool map, bool writable)
      : files_(std::move(files)), folder_(std::move(folder)), map_(map), writable_(writable) {}

  std::shared_ptr<const IndexImage> open(const std::string& name, const std::string& form) override;
  std::shared_ptr<const IndexImage> save(const std::string& name, const Index& index, const StopToken& stop) override;
  std::vector<StoreFinding> verify(const StopToken& stop) const override;

  /// Copies what is saved, at most of that generation, to a folder, which is made with the first one. What is damaged
  /// is left out: it can be made again.
  void copy_to(const std::filesystem::path& folder, Generation newest, const StopToken& stop) const;

  /// Removes what a crash left over, and states that the store no longer has: it may lose its last commits in a crash,
  /// and later ones would have their numbers.
  void remove_newer(Generation generation);

 private:
  std::vector<std::string> saved() const;

  const std::shared_ptr<FileSystem> files_;
  const std::filesystem::path folder_;
  const bool map_;
  const bool writable_;
};

/// Letters, digits, '-' and '_' of the name, and a hash that tells all names apart.
std::string index_file_name(std::string_view name);

}  // namespace ragstone::segment
