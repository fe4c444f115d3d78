#include "store/segment/file_system.hpp"
#include "store/segment/image.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <new>
#include <string>
#include <system_error>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ragstone::segment {
namespace {

namespace fs = std::filesystem;

Errc errc_for(int error) noexcept {
  switch (error) {
    case ENOENT:
      return Errc::not_found;
    case EEXIST:
      return Errc::already_exists;
    default:
      return medium_errc(error);
  }
}

[[noreturn]] void fail(const char* operation, const fs::path& path, int error) {
  if (error == ENOMEM) throw std::bad_alloc();
  const Errc code = errc_for(error);
  std::string message =
      std::string(operation) + " \"" + path.string() + "\": " + std::generic_category().message(error);
  if (code == Errc::storage_full) message += "; free some space and repeat";
  throw Error(code, message);
}

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }

  int get() const noexcept { return descriptor_; }

 private:
  int descriptor_ = -1;
};

Descriptor open_path(const char* operation, const fs::path& path, int flags) {
  int descriptor = -1;
  do {
    descriptor = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
  } while (descriptor < 0 && errno == EINTR);
  if (descriptor < 0) fail(operation, path, errno);
  return Descriptor(descriptor);
}

void sync_descriptor(const Descriptor& file, const fs::path& path) {
  // Not repeated after a failure: the kernel may have dropped the pages, and a second call would then succeed.
  if (::fsync(file.get()) != 0) fail("sync", path, errno);
}

class PosixOutputFile final : public OutputFile {
 public:
  PosixOutputFile(Descriptor file, fs::path path) : file_(std::move(file)), path_(std::move(path)) {}

  void write(std::uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (written < 0) {
        if (errno == EINTR) continue;
        fail("write", path_, errno);
      }
      if (written == 0) fail("write", path_, EIO);
      offset += static_cast<std::uint64_t>(written);
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  void sync() override { sync_descriptor(file_, path_); }

 private:
  Descriptor file_;
  fs::path path_;
};

class MappedImage final : public Image {
 public:
  /// The descriptor may be closed afterwards.
  MappedImage(const Descriptor& file, const fs::path& path, std::size_t size)
      : address_(::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.get(), 0)), size_(size) {
    if (address_ == MAP_FAILED) fail("map", path, errno);
    // Opening reads the table of sections: no more than its page, however much the system likes to read ahead.
    advise(0, 1, MADV_RANDOM);
  }
  ~MappedImage() override { ::munmap(address_, size_); }
  MappedImage(const MappedImage&) = delete;
  MappedImage& operator=(const MappedImage&) = delete;

  std::span<const std::byte> bytes() const noexcept override {
    return {static_cast<const std::byte*>(address_), size_};
  }
  void expect_random_reads(std::size_t offset, std::size_t size) const noexcept override {
    advise(offset, size, MADV_RANDOM);
  }
  void expect_scans(std::size_t offset, std::size_t size) const noexcept override { advise(offset, size, MADV_NORMAL); }
  void expect_reading(std::size_t offset, std::size_t size) const noexcept override {
    // Of a larger range the system reads no more than its window for reading ahead, which is seldom smaller than this.
    constexpr std::size_t kWindow = std::size_t{128} << 10;
    for (std::size_t done = 0; done < size; done += kWindow)
      advise(offset + done, std::min(size - done, kWindow), MADV_WILLNEED);
  }

 private:
  void advise(std::size_t offset, std::size_t size, int advice) const noexcept {
    static const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const std::size_t begin = offset / page * page;
    const std::size_t end = std::min(offset + size, size_);
    if (begin < end) ::madvise(static_cast<std::byte*>(address_) + begin, end - begin, advice);
  }

  void* address_;
  std::size_t size_;
};

std::shared_ptr<const Image> read_image(const Descriptor& file, const fs::path& path, std::size_t size) {
  constexpr std::size_t kLargestRead = std::size_t{1} << 30;
  auto image = std::make_shared<HeapImage>(size);
  for (std::size_t at = 0; at < size;) {
    const ssize_t count =
        ::pread(file.get(), image->data() + at, std::min(size - at, kLargestRead), static_cast<off_t>(at));
    if (count < 0) {
      if (errno == EINTR) continue;
      fail("read", path, errno);
    }
    if (count == 0) throw Error(Errc::io_error, "read \"" + path.string() + "\": it became shorter meanwhile");
    at += static_cast<std::size_t>(count);
  }
  return image;
}

bool is_directory(const fs::path& folder, const dirent& entry) {
  if (entry.d_type != DT_UNKNOWN && entry.d_type != DT_LNK) return entry.d_type == DT_DIR;
  std::error_code unknown;
  return fs::is_directory(folder / entry.d_name, unknown);
}

/// After a call that looked for it.
FileType none_or_fail(const fs::path& path) {
  if (errno == ENOENT || errno == ENOTDIR) return FileType::none;
  fail("look for", path, errno);
}

class PosixFileSystem final : public FileSystem {
 public:
  std::unique_ptr<OutputFile> create(const fs::path& path) override {
    return std::make_unique<PosixOutputFile>(open_path("create", path, O_RDWR | O_CREAT | O_EXCL), path);
  }

  void rename(const fs::path& from, const fs::path& to) override {
    if (std::rename(from.c_str(), to.c_str()) != 0) fail("rename", from, errno);
  }

  void remove(const fs::path& path) override {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) fail("remove", path, errno);
  }

  FileType type_of(const fs::path& path) override {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return none_or_fail(path);
    return S_ISDIR(status.st_mode) ? FileType::directory : FileType::other;
  }

  bool is_taken(const fs::path& path) override {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0 || none_or_fail(path) != FileType::none;
  }

  void create_directory(const fs::path& path) override {
    if (::mkdir(path.c_str(), 0755) == 0) return;
    const int error = errno;
    std::error_code ignored;
    if (error == EEXIST && fs::is_directory(path, ignored)) return;
    fail("create the folder", path, error);
  }

  void sync_directory(const fs::path& path) override {
    sync_descriptor(open_path("open the folder", path, O_RDONLY | O_DIRECTORY), path);
  }

  std::vector<std::string> list(const fs::path& folder) override {
    // An iterator of std::filesystem ends the process where memory runs out.
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(folder.c_str()), ::closedir);
    if (!directory) fail("list", folder, errno);
    std::vector<std::string> names;
    for (errno = 0; const dirent* entry = ::readdir(directory.get()); errno = 0)
      if (!is_directory(folder, *entry)) names.emplace_back(entry->d_name);
    if (errno != 0) fail("list", folder, errno);
    return names;
  }

  std::shared_ptr<const Image> open(const fs::path& path, bool map) override {
    // O_NONBLOCK: a FIFO in a file's place must not make this wait.
    const Descriptor file = open_path("open", path, O_RDONLY | O_NONBLOCK);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) fail("open", path, errno);
    if (!S_ISREG(status.st_mode)) throw Error(Errc::io_error, "open \"" + path.string() + "\": no regular file");
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size == 0 || !map) return read_image(file, path, size);
    return std::make_shared<MappedImage>(file, path, size);
  }
};

}  // namespace

Errc medium_errc(int error) noexcept {
  return error == ENOSPC || error == EDQUOT ? Errc::storage_full : Errc::io_error;
}

std::shared_ptr<FileSystem> posix_file_system() { return std::make_shared<PosixFileSystem>(); }

}  // namespace ragstone::segment
