#include "support/errors.hpp"
#include "support/mounts.hpp"
#include "support/store/samples.hpp"
#include "support/temporary_folder.hpp"
#include "support/unprivileged.hpp"
#include <ragstone/store/sqlite_engine.hpp>
#include <ragstone/store/sqlite_tools.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <sys/mount.h>

namespace ragstone::test {
namespace {

namespace fs = std::filesystem;

/// In a folder: a store that was closed, `closed`; and as a kill leaves it, with its log alone, `killed`.
void make_stores(const fs::path& folder) {
  const auto engine = sqlite_engine(folder / "kb");
  Commit commit;
  commit.sources.push_back(sample_lines("a", "a fig\n无花果"));
  engine->commit(std::move(commit));
  fs::copy(folder / "kb", folder / "killed", fs::copy_options::recursive);
  fs::remove(folder / "killed" / "store.db-shm");
  engine->close();
  fs::rename(folder / "kb", folder / "closed");
}

void expect_whole(const fs::path& store, StoreAccess access = StoreAccess::read_write) {
  SqliteOptions options;
  options.access = access;
  const auto engine = sqlite_engine(store, options);
  EXPECT_EQ(engine->snapshot()->text("a"), "a fig\n无花果");
  EXPECT_TRUE(engine->verify().ok());
}

void expect_read_only_error(const fs::path& store) {
  SqliteOptions options;
  options.access = StoreAccess::read_only;
  const Error error = error_of([&] { sqlite_engine(store, options); });
  EXPECT_EQ(error.errc(), Errc::io_error) << error.what();
  EXPECT_NE(std::string(error.what()).find("StoreAccess::immutable"), std::string::npos) << error.what();
}

/// What can be done with stores in a folder that must not be written, and what the rest says. What is made is in `to`.
void expect_use(const fs::path& folder, const fs::path& to) {
  const fs::path closed = folder / "closed";
  expect_whole(closed, StoreAccess::immutable);
  expect_read_only_error(closed);
  export_store(closed, to / "archive");
  import_store(to / "archive", to / "imported");
  expect_whole(to / "imported");
  EXPECT_TRUE(recover_store(closed, to / "recovered").lost.empty());
  expect_whole(to / "recovered");

  const fs::path killed = folder / "killed";
  expect_read_only_error(killed);
  for (const Error& error : {error_of([&] { export_store(killed, to / "archive 2"); }),
                             error_of([&] { recover_store(killed, to / "recovered 2"); })}) {
    EXPECT_EQ(error.errc(), Errc::io_error) << error.what();
    EXPECT_NE(std::string(error.what()).find("a copy that may be written"), std::string::npos) << error.what();
  }
  fs::create_directory(to / "copy");  // Else it would have the permissions of the other one.
  fs::copy(killed, to / "copy", fs::copy_options::recursive);
  EXPECT_TRUE(recover_store(to / "copy", to / "recovered 2").lost.empty()) << "what was in the log alone is there";
  expect_whole(to / "recovered 2");
}

// F10
TEST(ReadOnlyMedium, AFolderThatMayNotBeWritten) {
  if (rerun_unprivileged()) return;
  const TemporaryFolder folder;
  const TemporaryFolder to;
  make_stores(folder.path());
  for (const char* store : {"closed", "killed"})
    fs::permissions(folder.path() / store, fs::perms::owner_read | fs::perms::owner_exec);
  expect_use(folder.path(), to.path());
  for (const char* store : {"closed", "killed"}) fs::permissions(folder.path() / store, fs::perms::owner_all);
}

class Mounted {
 public:
  explicit Mounted(fs::path folder) : folder_(std::move(folder)) { EXPECT_EQ(mount(0), 0); }
  ~Mounted() { ::umount2(folder_.c_str(), MNT_DETACH); }
  Mounted(const Mounted&) = delete;
  Mounted& operator=(const Mounted&) = delete;

  void make_read_only() const { ASSERT_EQ(mount(MS_REMOUNT | MS_RDONLY), 0); }

 private:
  int mount(unsigned long flags) const { return ::mount("none", folder_.c_str(), "tmpfs", flags, "size=4m"); }

  const fs::path folder_;
};

// F10: such a medium has no room left either, which is not to be taken for a full one.
TEST(ReadOnlyMedium, AFileSystemThatIsMountedSo) {
  std::string why_not;
  const Mounts mounts = find_mounts(why_not);
  if (mounts == Mounts::refused) GTEST_SKIP() << why_not;
  if (mounts == Mounts::elsewhere) return;
  const TemporaryFolder folder;
  const TemporaryFolder to;
  const Mounted mounted(folder.path());
  make_stores(folder.path());
  {
    std::ofstream rest(folder.path() / "the rest", std::ios::binary);
    while (rest << std::string(4096, 'x') << std::flush) {
    }
  }
  mounted.make_read_only();
  expect_use(folder.path(), to.path());
}

}  // namespace
}  // namespace ragstone::test
