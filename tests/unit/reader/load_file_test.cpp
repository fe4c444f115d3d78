#include "reader/dataset.hpp"
#include "support/temporary_folder.hpp"
#include "support/unprivileged.hpp"
#include <ragstone/base/error.hpp>

#include <atomic>
#include <filesystem>
#include <stop_token>
#include <string>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ragstone {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;
using testing::HasSubstr;

constexpr std::uint64_t kLimit = std::uint64_t{1} << 30;

Errc error_of(const fs::path& path, std::uint64_t max_bytes = kLimit) {
  try {
    load_file(path, max_bytes, {});
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(path.native()));
    return error.errc();
  }
  return {};
}

TEST(LoadFile, GivesAllBytesAndTheirStamp) {
  const TemporaryFolder folder;
  std::string bytes("\0中文\r\n\xFF", 10);
  bytes.append(3 << 20, 'x');
  const fs::path path = folder.write("a.txt", bytes);
  const LoadedFile loaded = load_file(path, kLimit, {});
  EXPECT_EQ(loaded.bytes, bytes);
  EXPECT_EQ(loaded.stamp.size, bytes.size());
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(loaded.stamp.modified_ns, status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec);
  EXPECT_EQ(load_file(folder.write("empty", ""), 0, {}).bytes, "");
}

TEST(LoadFile, FilesOfAStoreAreRefused) {
  const TemporaryFolder folder;
  const fs::path database = folder.write("store.db", "x");
  EXPECT_EQ(load_file(database, kLimit, {}).bytes, "x");
  folder.write("lock", "");
  EXPECT_EQ(error_of(database), Errc::invalid_argument);
}

TEST(LoadFile, TheLimitIsTheLargestSizeAllowed) {
  const TemporaryFolder folder;
  const fs::path path = folder.write("a.txt", "12345");
  EXPECT_EQ(load_file(path, 5, {}).bytes, "12345");
  EXPECT_EQ(error_of(path, 4), Errc::limit_exceeded);
}

TEST(LoadFile, WhatIsNoRegularFileIsRefusedAtOnce) {
  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder.path() / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(error_of(folder.path() / "pipe"), Errc::io_error);
  EXPECT_EQ(error_of(folder.path()), Errc::io_error);
  EXPECT_EQ(error_of("/dev/zero"), Errc::io_error);
  EXPECT_EQ(error_of(folder.path() / "missing"), Errc::not_found);
  EXPECT_EQ(error_of(folder.write("a", "x") / "below"), Errc::not_found);
}

TEST(LoadFile, NoLinkIsFollowed) {
  const TemporaryFolder folder;
  folder.write("real/a.txt", "x");
  fs::create_symlink("real/a.txt", folder.path() / "a.txt");
  fs::create_directory_symlink("real", folder.path() / "folder");
  EXPECT_EQ(error_of(folder.path() / "a.txt"), Errc::io_error);
  EXPECT_EQ(error_of(folder.path() / "folder/a.txt"), Errc::io_error);
}

TEST(LoadFile, AnUnreadableFileIsAnError) {
  if (test::rerun_unprivileged()) return;
  const TemporaryFolder folder;
  const fs::path path = folder.write("secret.txt", "x");
  fs::permissions(path, fs::perms::none);
  EXPECT_EQ(error_of(path), Errc::io_error);
}

TEST(LoadFile, AFileThatChangesWhileItIsReadIsNeverTakenHalf) {
  const TemporaryFolder folder;
  const fs::path path = folder.write("log.txt", "");
  fs::resize_file(path, 64 << 20);
  const int file = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  ASSERT_GE(file, 0);
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int i = 0; !done && i < 10'000'000; ++i)
      if (::write(file, "x", 1) != 1) break;
  });
  // Until the writer was seen at work; each success before that must be whole.
  bool seen = false;
  while (!seen) {
    try {
      const LoadedFile loaded = load_file(path, kLimit, {});
      EXPECT_EQ(loaded.bytes.size(), loaded.stamp.size);
    } catch (const Error& error) {
      EXPECT_EQ(error.errc(), Errc::transient);
      EXPECT_THAT(error.what(), HasSubstr("changes while it is read"));
      seen = true;
    }
  }
  done = true;
  writer.join();
  ::close(file);
  EXPECT_EQ(load_file(path, kLimit, {}).bytes.size(), fs::file_size(path));
}

TEST(LoadFile, AStopEndsTheReading) {
  const TemporaryFolder folder;
  const fs::path path = folder.write("a.txt", "x");
  std::stop_source source;
  source.request_stop();
  EXPECT_THROW(load_file(path, kLimit, source.get_token()), boost::system::system_error);
}

}  // namespace
}  // namespace ragstone
