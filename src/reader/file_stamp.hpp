#pragma once

#include <ragstone/store/commit.hpp>

#include <sys/stat.h>

namespace ragstone {

inline FileStamp stamp_of(const struct stat& status) noexcept {
  FileStamp stamp;
  stamp.size = static_cast<std::uint64_t>(status.st_size);
  stamp.modified_ns = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
  return stamp;
}

}  // namespace ragstone
