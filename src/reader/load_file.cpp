#include "reader/dataset.hpp"
#include "reader/file_stamp.hpp"
#include "reader/posix.hpp"
#include "reader/store_files.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <cerrno>
#include <optional>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ragstone {
namespace {

constexpr std::size_t kReadBlock = std::size_t{1} << 20;

[[noreturn]] void fail(const std::string& path, int error_number) {
  const bool missing = error_number == ENOENT || error_number == ENOTDIR;
  const std::string reason = error_number == ELOOP ? "a link is in its path" : system_message(error_number);
  throw Error(missing ? Errc::not_found : Errc::io_error, "load \"" + path + "\": " + reason);
}

[[noreturn]] void fail_too_large(const std::string& path, std::uint64_t max_bytes) {
  throw Error(Errc::limit_exceeded, "load \"" + path + "\": larger than the limit of " + std::to_string(max_bytes) +
                                        " bytes; raise the limit or leave the file out");
}

void require_regular(const std::string& path, const struct stat& status) {
  if (!S_ISREG(status.st_mode)) throw Error(Errc::io_error, "load \"" + path + "\": is no regular file");
}

bool unchanged(const struct stat& before, const struct stat& after) {
  return stamp_of(before) == stamp_of(after) && before.st_ctim.tv_sec == after.st_ctim.tv_sec &&
         before.st_ctim.tv_nsec == after.st_ctim.tv_nsec;
}

/// Nothing if the file changed meanwhile.
std::optional<LoadedFile> read_once(const std::string& path, std::uint64_t max_bytes, const StopToken& stop) {
  struct stat before {};
  // Opening alone has effects on some devices and wakes the writers of a FIFO, so the type is looked at first; what is
  // opened is looked at again because the name may have got another file in between.
  if (::lstat(path.c_str(), &before) != 0) fail(path, errno);
  if (S_ISLNK(before.st_mode)) fail(path, ELOOP);
  require_regular(path, before);
  const FileDescriptor file = open_without_links(path, 0);
  if (!file || ::fstat(file.get(), &before) != 0) fail(path, errno);
  require_regular(path, before);
  if (static_cast<std::uint64_t>(before.st_size) > max_bytes) fail_too_large(path, max_bytes);

  LoadedFile loaded;
  loaded.stamp = stamp_of(before);
  const auto expected = static_cast<std::size_t>(before.st_size);
  loaded.bytes.resize(expected);
  std::size_t size = 0;
  while (size < expected) {
    throw_if_stopped(stop);
    const ssize_t got = ::read(file.get(), loaded.bytes.data() + size, std::min(kReadBlock, expected - size));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(path, errno);
    if (got == 0) return std::nullopt;
    size += static_cast<std::size_t>(got);
  }
  char beyond = 0;
  ssize_t more = 0;
  do more = ::read(file.get(), &beyond, 1);
  while (more < 0 && errno == EINTR);
  struct stat after {};
  if (more < 0 || ::fstat(file.get(), &after) != 0) fail(path, errno);
  if (more > 0 || !unchanged(before, after)) return std::nullopt;
  return loaded;
}

}  // namespace

LoadedFile load_file(const std::filesystem::path& path, std::uint64_t max_bytes, const StopToken& stop) {
  if (is_of_store(path.native()))
    throw Error(Errc::invalid_argument,
                "load \"" + path.native() + "\": it is a file of a Ragstone store; leave it out");
  for (int attempt = 0; attempt < 2; ++attempt)
    if (auto loaded = read_once(path.native(), max_bytes, stop)) return std::move(*loaded);
  throw Error(Errc::transient, "load \"" + path.native() + "\": the file changes while it is read; repeat later");
}

}  // namespace ragstone
