#include "reader/posix.hpp"

#include <cerrno>
#include <cstdint>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#if defined(__linux__) && __has_include(<linux/openat2.h>)
#include <linux/openat2.h>
#include <sys/syscall.h>
#endif

namespace ragstone {

FileDescriptor::~FileDescriptor() {
  if (value_ >= 0) ::close(value_);
}

FileDescriptor open_without_links(const std::string& path, int more_flags) {
  const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | more_flags;
  int opened = -1;
#ifdef SYS_openat2
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags);
  how.resolve = RESOLVE_NO_SYMLINKS;
  do opened = static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how));
  while (opened < 0 && errno == EINTR);
  // Old kernels and some sandboxes do not have the call.
  if (opened >= 0 || (errno != ENOSYS && errno != EPERM)) return FileDescriptor(opened);
#endif
  do opened = ::open(path.c_str(), flags | O_NOFOLLOW);
  while (opened < 0 && errno == EINTR);
  return FileDescriptor(opened);
}

std::string system_message(int error_number) { return std::generic_category().message(error_number); }

}  // namespace ragstone
