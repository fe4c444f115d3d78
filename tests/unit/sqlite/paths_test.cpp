#include "support/errors.hpp"
#include "support/store/samples.hpp"
#include "support/temporary_folder.hpp"
#include "support/unprivileged.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/store/sqlite_engine.hpp>
#include <ragstone/store/sqlite_tools.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

namespace fs = std::filesystem;

void make_store(const fs::path& folder) {
  const auto engine = sqlite_engine(folder);
  Commit commit;
  commit.sources.push_back(sample_lines("a", "fig"));
  engine->commit(std::move(commit));
  engine->close();
}

void read(const fs::path& folder, StoreAccess access) {
  SqliteOptions options;
  options.access = access;
  sqlite_engine(folder, options);
}

/// Whatever opens, reads or makes a store at a path; the rest goes on in `beside`.
std::vector<std::function<void()>> calls_with(const fs::path& path, const fs::path& beside) {
  return {[=] { sqlite_engine(path); },
          [=] { read(path, StoreAccess::read_only); },
          [=] { read(path, StoreAccess::immutable); },
          [=] { recover_store(path, beside / "recovered"); },
          [=] { recover_store(beside / "kb", path); },
          [=] { export_store(path, beside / "exported"); },
          [=] { export_store(beside / "kb", path); },
          [=] { import_store(path, beside / "imported"); },
          [=] { import_store(beside / "kb.rag", path); },
          [=] { sqlite_engine(beside / "kb")->backup(path); }};
}

/// A store and an archive of it beside the paths.
class Beside {
 public:
  Beside() {
    make_store(folder_.path() / "kb");
    export_store(folder_.path() / "kb", folder_.path() / "kb.rag");
  }

  /// Each call with the path ends with one of the codes.
  void expect_errors(const fs::path& path, const std::vector<Errc>& codes) {
    const auto calls = calls_with(path, folder_.path());
    for (std::size_t i = 0; i < calls.size(); ++i) {
      SCOPED_TRACE("call " + std::to_string(i) + " with " + path.string());
      const Error error = error_of(calls[i]);
      EXPECT_NE(std::find(codes.begin(), codes.end(), error.errc()), codes.end()) << error.what();
    }
  }

  const TemporaryFolder& folder() const noexcept { return folder_; }

 private:
  TemporaryFolder folder_;
};

TEST(StorePaths, ThatAreTooLongAreErrorsOfTheMedium) {
  Beside beside;
  beside.expect_errors(beside.folder().path() / std::string(300, 'x'), {Errc::io_error});
}

TEST(StorePaths, ThatLeadThroughAFileAreTypedErrors) {
  Beside beside;
  beside.folder().write("file", "no folder");
  beside.expect_errors(beside.folder().path() / "file",
                       {Errc::io_error, Errc::not_found, Errc::already_exists, Errc::corrupt_store});
  beside.expect_errors(beside.folder().path() / "file" / "kb", {Errc::io_error, Errc::not_found, Errc::already_exists});
}

TEST(StorePaths, ThatMayNotBeLookedIntoAreErrorsOfTheMedium) {
  if (rerun_unprivileged()) return;
  Beside beside;  // Not before: it would be root's.
  fs::create_directories(beside.folder().path() / "closed" / "kb");
  fs::permissions(beside.folder().path() / "closed", fs::perms::none);
  beside.expect_errors(beside.folder().path() / "closed" / "kb", {Errc::io_error});
  fs::permissions(beside.folder().path() / "closed", fs::perms::owner_all);
}

}  // namespace
}  // namespace ragstone::test
