#include "reader/dataset.hpp"

#include "support/data.hpp"
#include "support/temporary_folder.hpp"
#include "support/unprivileged.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace ragstone {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

bool is_text(std::string_view id) { return id.ends_with(".md") || id.ends_with(".txt"); }

DatasetListing list(const fs::path& root) { return list_dataset(root, is_text, {}); }

std::vector<std::string> ids(const DatasetListing& listing) {
  std::vector<std::string> found;
  for (const DatasetFile& file : listing.files) found.push_back(file.id);
  return found;
}

std::vector<std::string> problems(const DatasetListing& listing) {
  std::vector<std::string> found;
  for (const DatasetProblem& problem : listing.problems) found.push_back(problem.id + ": " + problem.reason);
  return found;
}

Errc error_of(const fs::path& root) {
  try {
    list(root);
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(root.native()));
    return error.errc();
  }
  return {};
}

TEST(ListDataset, FilesComeWithTheirStampsInOrderOfTheirIds) {
  const TemporaryFolder folder;
  folder.write("b/第二章.md", "二");
  folder.write("a.txt", "one");
  folder.write("b/empty.md", "");
  folder.write("b/picture.png", "x");
  const DatasetListing listing = list(folder.path());
  EXPECT_THAT(ids(listing), ElementsAre("a.txt", "b/empty.md", "b/第二章.md"));
  EXPECT_EQ(listing.files[0].path, folder.path() / "a.txt");
  EXPECT_EQ(listing.files[0].stamp.size, 3u);
  EXPECT_GT(listing.files[0].stamp.modified_ns, 1'600'000'000'000'000'000);
  EXPECT_EQ(listing.ignored, 1u);
  EXPECT_THAT(listing.problems, IsEmpty());
}

TEST(ListDataset, AnEmptyFolderHasNoFiles) {
  const TemporaryFolder folder;
  const DatasetListing listing = list(folder.path());
  EXPECT_THAT(ids(listing), IsEmpty());
  EXPECT_THAT(problems(listing), IsEmpty());
}

TEST(ListDataset, NamesWithADotInFrontAreLeftOutBelowTheRootOnly) {
  const TemporaryFolder folder;
  folder.write(".config/notes/seen.md", "x");
  folder.write(".config/notes/.hidden.md", "x");
  folder.write(".config/notes/.git/hidden.md", "x");
  EXPECT_THAT(ids(list(folder.path() / ".config/notes")), ElementsAre("seen.md"));
  EXPECT_THAT(ids(list(folder.path())), IsEmpty());
}

TEST(ListDataset, NamesHoldAnyBytes) {
  const TemporaryFolder folder;
  folder.write("with space.md", "x");
  folder.write("line\nbreak.md", "x");
  folder.write("latin \xE9t\xE9.md", "x");
  folder.write("gbk \xD6\xD0\xCE\xC4/手册.md", "x");
  const DatasetListing listing = list(folder.path());
  EXPECT_THAT(ids(listing),
              ElementsAre("gbk %D6%D0%CE%C4/手册.md", "latin %E9t%E9.md", "line\nbreak.md", "with space.md"));
  for (const DatasetFile& file : listing.files) EXPECT_EQ(load_file(file.path, 10, {}).bytes, "x");
}

TEST(ListDataset, TheRootMustBeAFolder) {
  const TemporaryFolder folder;
  const fs::path file = folder.write("file.md", "x");
  EXPECT_EQ(error_of(folder.path() / "missing"), Errc::not_found);
  EXPECT_EQ(error_of(file / "below"), Errc::not_found);
  EXPECT_EQ(error_of(file), Errc::invalid_argument);
}

TEST(ListDataset, TheRootMayBeALink) {
  const TemporaryFolder folder;
  folder.write("real/a.md", "x");
  fs::create_directory_symlink("real", folder.path() / "link");
  EXPECT_THAT(ids(list(folder.path() / "link")), ElementsAre("a.md"));
}

TEST(ListDataset, LinksBelowTheRootAreFollowed) {
  const TemporaryFolder folder;
  folder.write(".data/one/a.md", "x");
  folder.write(".data/one/b.dat", "x");
  folder.write(".data/two/c.md", "x");
  fs::create_directory_symlink(".data/one", folder.path() / "relative");
  fs::create_directory_symlink(folder.path() / ".data/two", folder.path() / "absolute");
  fs::create_symlink(".data/one/b.dat", folder.path() / "renamed.md");
  fs::create_symlink(".data/one/b.dat", folder.path() / "other.dat");
  const DatasetListing listing = list(folder.path());
  EXPECT_THAT(ids(listing), ElementsAre("absolute/c.md", "relative/a.md", "renamed.md"));
  EXPECT_THAT(problems(listing), IsEmpty());
  EXPECT_EQ(listing.ignored, 2u);
  for (const DatasetFile& file : listing.files) EXPECT_EQ(load_file(file.path, 10, {}).bytes, "x");
}

TEST(ListDataset, WhatALinkShowsAppearsOnceUnderItsOwnName) {
  const TemporaryFolder folder;
  folder.write("real/a.md", "x");
  fs::create_directory_symlink("real", folder.path() / "before");
  fs::create_symlink("real/a.md", folder.path() / "again.md");
  EXPECT_THAT(ids(list(folder.path())), ElementsAre("real/a.md"));
}

bool is_anything(std::string_view) { return true; }

TEST(ListDataset, WhatIsOfAStoreIsLeftOut) {
  const TemporaryFolder folder;
  for (const char* name : {"store.db", "store.db-wal", "store.db-shm", "sessions.db", "sessions.db-journal", "cache.db",
                           "lock", "segments/part-1.seg", "indexes/titles.idx", "notes.md", "store.db.md"})
    folder.write(fs::path("kb") / name, "x");
  folder.write("copy/store.db", "x");
  folder.write("copy/segments/part-1.seg", "x");
  folder.write("new/store.db", "x");
  folder.write("new/lock", "");
  fs::create_symlink("kb/store.db", folder.path() / "link.db");
  fs::create_directory_symlink("kb/segments", folder.path() / "parts");
  EXPECT_THAT(ids(list_dataset(folder.path(), is_anything, {})), ElementsAre("kb/notes.md", "kb/store.db.md"));
  EXPECT_THAT(ids(list_dataset(folder.path() / "kb", is_anything, {})), ElementsAre("notes.md", "store.db.md"));
}

TEST(ListDataset, WhatAFileSystemsCheckFoundIsLeftOut) {
  const TemporaryFolder folder;
  folder.write("lost+found/#12", "x");
  folder.write("a.md", "x");
  EXPECT_THAT(ids(list_dataset(folder.path(), is_anything, {})), ElementsAre("a.md"));
}

TEST(ListDataset, FilesThatOnlyHaveNamesAsInAStoreAreListed) {
  const TemporaryFolder folder;
  folder.write("a/store.db", "x");
  folder.write("b/lock", "x");
  folder.write("b/segments/one.md", "x");
  folder.write("c/cache.db", "x");
  EXPECT_THAT(ids(list_dataset(folder.path(), is_anything, {})),
              ElementsAre("a/store.db", "b/lock", "b/segments/one.md", "c/cache.db"));
}

TEST(ListDataset, WhatIsBeingMadeOfAStoreIsLeftOut) {
  const TemporaryFolder folder;
  folder.write("backup.unfinished/segments/part-1.seg", "x");
  folder.write("backup.unfinished.lock", "");
  folder.write("thesis.unfinished/chapter.md", "x");
  EXPECT_THAT(ids(list_dataset(folder.path(), is_anything, {})), ElementsAre("thesis.unfinished/chapter.md"));
}

TEST(ListDataset, LinkLoopsEnd) {
  const TemporaryFolder folder;
  folder.write("a/b/text.md", "x");
  fs::create_directory_symlink("../..", folder.path() / "a/b/up");
  fs::create_directory_symlink(".", folder.path() / "a/here");
  fs::create_symlink("pong.md", folder.path() / "ping.md");
  fs::create_symlink("ping.md", folder.path() / "pong.md");
  const DatasetListing listing = list(folder.path());
  EXPECT_THAT(ids(listing), ElementsAre("a/b/text.md"));
  EXPECT_THAT(problems(listing), ElementsAre(HasSubstr("ping.md: link cannot be followed"),
                                             HasSubstr("pong.md: link cannot be followed")));
}

TEST(ListDataset, LinksThatLeadNowhereOrOutAreProblems) {
  const TemporaryFolder folder;
  folder.write("dataset/a.md", "x");
  folder.write("dataset-secrets/b.md", "x");
  fs::create_symlink("missing.md", folder.path() / "dataset/dangling.md");
  fs::create_directory_symlink("../dataset-secrets", folder.path() / "dataset/neighbour");
  fs::create_directory_symlink("..", folder.path() / "dataset/parent");
  fs::create_symlink("/etc/passwd", folder.path() / "dataset/passwd.txt");
  const DatasetListing listing = list(folder.path() / "dataset");
  EXPECT_THAT(ids(listing), ElementsAre("a.md"));
  EXPECT_THAT(problems(listing),
              ElementsAre("dangling.md: link leads nowhere", "neighbour: link leads out of the dataset",
                          "parent: link leads out of the dataset", "passwd.txt: link leads out of the dataset"));
}

TEST(ListDataset, OnlyRegularFilesAreFiles) {
  const TemporaryFolder folder;
  folder.write("a.md", "x");
  ASSERT_EQ(::mkfifo((folder.path() / "pipe.md").c_str(), 0600), 0);
  fs::create_symlink("pipe.md", folder.path() / "to pipe.md");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (folder.path() / "socket.md").native().copy(address.sun_path, sizeof address.sun_path - 1);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const DatasetListing listing = list(folder.path());
  ::close(socket);
  EXPECT_THAT(ids(listing), ElementsAre("a.md"));
  EXPECT_THAT(problems(listing), ElementsAre("pipe.md: is a FIFO", "socket.md: is a socket", "to pipe.md: is a FIFO"));
}

TEST(ListDataset, UnreadableFoldersAndFilesEndNothing) {
  if (test::rerun_unprivileged()) return;
  const TemporaryFolder folder;
  folder.write("a.md", "x");
  folder.write("closed/b.md", "x");
  folder.write("names only/c.md", "x");
  const fs::path secret = folder.write("secret.md", "x");
  folder.write("z.md", "x");
  fs::permissions(folder.path() / "closed", fs::perms::none);
  fs::permissions(folder.path() / "names only", fs::perms::owner_read);
  fs::permissions(secret, fs::perms::none);
  const DatasetListing listing = list(folder.path());
  EXPECT_THAT(ids(listing), ElementsAre("a.md", "secret.md", "z.md"));
  EXPECT_THAT(problems(listing), ElementsAre(HasSubstr("closed: cannot be opened: Permission denied"),
                                             HasSubstr("names only/c.md: Permission denied")));
  EXPECT_EQ(error_of(folder.path() / "closed"), Errc::io_error);
  fs::permissions(folder.path() / "closed", fs::perms::owner_all);
  fs::permissions(folder.path() / "names only", fs::perms::owner_all);
}

TEST(ListDataset, ATreeDeeperThanAPathCanSayIsAProblemAndEndsNothing) {
  const TemporaryFolder folder;
  folder.write("a.md", "x");
  folder.write("z.md", "x");
  const std::string name(200, 'd');
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  for (int depth = 0; depth < 50; ++depth) {
    ASSERT_EQ(::mkdir(name.c_str(), 0700), 0);
    ASSERT_EQ(::chdir(name.c_str()), 0);
  }
  fs::current_path(before);
  const DatasetListing listing = list(folder.path());
  EXPECT_THAT(ids(listing), ElementsAre("a.md", "z.md"));
  EXPECT_THAT(problems(listing), ElementsAre(HasSubstr("path is too long")));
}

TEST(ListDataset, AThousandFoldersDeepIsRead) {
  const TemporaryFolder folder;
  std::string path;
  for (int depth = 0; depth < 1'000; ++depth) path += "d/";
  folder.write(path + "深.md", "x");
  EXPECT_THAT(ids(list(folder.path())), ElementsAre(path + "深.md"));
}

TEST(ListDataset, AStopEndsTheScan) {
  const TemporaryFolder folder;
  folder.write("a.md", "x");
  std::stop_source source;
  source.request_stop();
  EXPECT_THROW(list_dataset(folder.path(), is_text, source.get_token()), boost::system::system_error);
}

TEST(ListDataset, ARealBookIsListedInBothLanguages) {
  RAGSTONE_DATA_OR_SKIP(book, "corpora/d2l-book");
  EXPECT_EQ(list(book / "zh").files.size(), 140u);
  EXPECT_EQ(list(book / "en").files.size(), 139u);
  const DatasetListing both = list(book);
  EXPECT_EQ(both.files.size(), 279u);
  EXPECT_THAT(both.problems, IsEmpty());
}

}  // namespace
}  // namespace ragstone
