#include "support/temporary_folder.hpp"

#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <system_error>

#include <stdlib.h>

namespace ragstone::test {
namespace fs = std::filesystem;
namespace {

// What std::filesystem::temp_directory_path() goes by.
constexpr char kPlace[] = "TMPDIR";

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (fs::canonical(fs::temp_directory_path()) / "ragstone-XXXXXX").native();
  if (!::mkdtemp(pattern.data())) throw std::system_error(errno, std::generic_category(), "mkdtemp");
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

fs::path TemporaryFolder::write(const fs::path& name, std::string_view bytes) const {
  const fs::path path = path_ / name;
  fs::create_directories(path.parent_path());
  std::ofstream out(path, std::ios::binary);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!out.flush()) throw std::runtime_error("cannot write " + path.string());
  return path;
}

TemporaryPlace::TemporaryPlace(const fs::path& folder) {
  if (const char* before = ::getenv(kPlace)) before_ = before;
  if (::setenv(kPlace, folder.c_str(), 1) != 0) throw std::system_error(errno, std::generic_category(), "setenv");
}

TemporaryPlace::~TemporaryPlace() {
  if (before_) {
    ::setenv(kPlace, before_->c_str(), 1);
  } else {
    ::unsetenv(kPlace);
  }
}

}  // namespace ragstone::test
