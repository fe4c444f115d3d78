#pragma once

#include <string>
#include <utility>

namespace ragstone {

/// Owns a file descriptor; -1 is none.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int value) noexcept : value_(value) {}
  FileDescriptor(FileDescriptor&& other) noexcept : value_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~FileDescriptor();

  explicit operator bool() const noexcept { return value_ >= 0; }
  int get() const noexcept { return value_; }
  int release() noexcept { return std::exchange(value_, -1); }

 private:
  int value_ = -1;
};

/// Opens for reading without following a link anywhere in `path` (in its last part only, where the system can't do
/// better), without waiting for the other end of a FIFO or for a device, and without inheritance by child processes.
/// None with errno set on failure.
FileDescriptor open_without_links(const std::string& path, int more_flags);

/// The system's text for an errno value.
std::string system_message(int error_number);

}  // namespace ragstone
