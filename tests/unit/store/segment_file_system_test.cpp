#include "store/segment/dense_search.hpp"
#include "store/segment/file_system.hpp"
#include "store/segment/image_sink.hpp"
#include "support/errors.hpp"
#include "support/faults/short_transfers.hpp"
#include "support/temporary_folder.hpp"
#include "unit/store/segment_samples.hpp"

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace ragstone::segment {
namespace {

using test::error_of;
using test::TemporaryFolder;

std::string text_of(const Image& image) {
  return {reinterpret_cast<const char*>(image.bytes().data()), image.bytes().size()};
}

TEST(PosixFileSystem, GivesBackWhatWasWrittenMappedOrRead) {
  const TemporaryFolder folder;
  const auto files = posix_file_system();
  const auto path = folder.path() / "file";
  const auto file = files->create(path);
  file->write(10, "world");
  file->write(0, "hello");
  file->sync();
  for (const bool map : {true, false}) {
    const auto image = files->open(path, map);
    EXPECT_EQ(text_of(*image), std::string("hello") + std::string(5, '\0') + "world");
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(image->bytes().data()) % 64, 0u);
  }
}

// F3
TEST(PosixFileSystem, ShortAndInterruptedTransfersAreGoneOnWith) {
  const TemporaryFolder folder;
  const auto files = posix_file_system();
  const auto path = folder.path() / "file";
  std::string content;
  for (int i = 0; content.size() < 50'000; ++i) content += std::to_string(i) + "号 ";
  const test::ShortTransfers guard(777);
  files->create(path)->write(10, content);
  EXPECT_GT(guard.calls(), content.size() / 777);
  const std::size_t calls = guard.calls();
  const std::string read = text_of(*files->open(path, false));
  EXPECT_GT(guard.calls(), calls + content.size() / 777);
  EXPECT_EQ(read, std::string(10, '\0') + content);
  EXPECT_EQ(text_of(*files->open(path, true)), read);
}

// F3
TEST(PosixFileSystem, TransfersThatNeverGetOnAreErrors) {
  const TemporaryFolder folder;
  const auto files = posix_file_system();
  const auto path = folder.write("file", "content");
  const auto file = files->create(folder.path() / "new");
  const test::ShortTransfers guard(0);
  EXPECT_EQ(error_of([&] { file->write(0, "content"); }).errc(), Errc::io_error);
  EXPECT_EQ(error_of([&] { files->open(path, false); }).errc(), Errc::io_error);
}

TEST(PosixFileSystem, AnImageOutlivesItsFile) {
  const TemporaryFolder folder;
  const auto files = posix_file_system();
  const auto path = folder.write("file", "content");
  const auto image = files->open(path, true);
  files->remove(path);
  EXPECT_EQ(text_of(*image), "content");
}

TEST(PosixFileSystem, HintsAboutReadingMayNameAnything) {
  const TemporaryFolder folder;
  const std::string content(20'000, 'x');
  for (const bool map : {true, false}) {
    const auto image = posix_file_system()->open(folder.write("file", content), map);
    image->expect_random_reads(5'000, 9'000);
    image->expect_reading(0, content.size() * 2);
    image->expect_reading(content.size() * 2, 10);
    EXPECT_EQ(text_of(*image), content);
  }
}

TEST(PosixFileSystem, AnEmptyFileIsAnEmptyImage) {
  const TemporaryFolder folder;
  for (const bool map : {true, false})
    EXPECT_EQ(posix_file_system()->open(folder.write("empty", ""), map)->bytes().size(), 0u);
}

TEST(PosixFileSystem, RenamesReplacesListsAndRemoves) {
  const TemporaryFolder folder;
  const auto files = posix_file_system();
  folder.write("a", "1");
  folder.write("b", "2");
  files->rename(folder.path() / "a", folder.path() / "b");
  files->create_directory(folder.path() / "sub");
  files->create_directory(folder.path() / "sub");
  files->sync_directory(folder.path());
  EXPECT_EQ(files->list(folder.path()), std::vector<std::string>{"b"});
  EXPECT_EQ(text_of(*files->open(folder.path() / "b", false)), "1");
  files->remove(folder.path() / "b");
  files->remove(folder.path() / "b");
  EXPECT_TRUE(files->list(folder.path()).empty());
}

TEST(PosixFileSystem, ErrorsTellWhatToDo) {
  const TemporaryFolder folder;
  const auto files = posix_file_system();
  const auto path = folder.write("file", "content");
  EXPECT_EQ(error_of([&] { files->create(path); }).errc(), Errc::already_exists);
  EXPECT_EQ(error_of([&] { files->create_directory(path); }).errc(), Errc::already_exists);
  for (const bool map : {true, false})
    EXPECT_EQ(error_of([&] { files->open(folder.path() / "absent", map); }).errc(), Errc::not_found);
  EXPECT_EQ(error_of([&] { files->open(folder.path(), true); }).errc(), Errc::io_error);
  EXPECT_EQ(error_of([&] { files->list(folder.path() / "absent"); }).errc(), Errc::not_found);
  EXPECT_EQ(error_of([&] { files->sync_directory(folder.path() / "absent"); }).errc(), Errc::not_found);
  EXPECT_EQ(error_of([&] { files->rename(folder.path() / "absent", path); }).errc(), Errc::not_found);
  EXPECT_EQ(error_of([&] { files->remove(folder.path()); }).errc(), Errc::io_error);
  EXPECT_NE(std::string(error_of([&] { files->create(path); }).what()).find(path.string()), std::string::npos);
}

TEST(PosixFileSystem, AFifoInAFilesPlaceIsRefusedAtOnce) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "fifo";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(error_of([&] { posix_file_system()->open(path, true); }).errc(), Errc::io_error);
}

TEST(FileSink, WritesTheSameImageAsAStringSinkInLargePieces) {
  class CountingFile final : public OutputFile {
   public:
    void write(std::uint64_t offset, std::string_view bytes) override {
      sink_.write(offset, bytes);
      if (offset != end_) ++jumps_;
      end_ = offset + bytes.size();
      if (bytes.size() < std::size_t{256} << 10) ++small_;
    }
    void sync() override {}

    StringSink sink_;
    std::uint64_t end_ = 0;
    int jumps_ = 0;
    int small_ = 0;
  };
  std::mt19937 random(1);
  const std::vector<DenseView> views = {{random_dense(random, 3000, 128).part(), {}}};
  CountingFile file;
  FileSink sink(file);
  merge_dense(3, views, sink, {});
  sink.flush();
  StringSink expected(4096);
  merge_dense(3, views, expected, {});
  const std::string image = std::move(file.sink_).take();
  EXPECT_EQ(image, std::move(expected).take());
  EXPECT_EQ(sink.bytes_written(), image.size());
  // To the place after the reserved header, and back to it.
  EXPECT_LE(file.jumps_, 2);
  EXPECT_LE(file.small_, 2);
}

TEST(FileSink, AMergedFileOpensMappedAndRead) {
  const TemporaryFolder folder;
  const auto files = posix_file_system();
  std::mt19937 random(2);
  const std::vector<DenseView> dense = {{random_dense(random, 300, 48).part(), {}}};
  const std::vector<SparseView> sparse = {{random_sparse(random, 300, 200).part(), {}}};
  const auto write = [&](const char* name, auto merge) {
    const auto file = files->create(folder.path() / name);
    FileSink sink(*file);
    merge(sink);
    sink.flush();
    file->sync();
  };
  write("dense", [&](ImageSink& sink) { merge_dense(1, dense, sink, {}); });
  write("sparse", [&](ImageSink& sink) { merge_sparse(1, sparse, sink, {}); });
  const std::vector<float> query = random_vector(random, 48);
  const std::vector<TermWeight> terms = {{sample_word(0), 1}, {sample_word(5), 1}};
  for (const bool map : {true, false}) {
    const std::vector<DenseView> d = {
        {std::make_shared<const DensePart>(files->open(folder.path() / "dense", map)), {}}};
    EXPECT_TRUE(d[0].part->verify({}).empty());
    EXPECT_EQ(search_dense(d, query, Metric::cosine, nullptr, 9, {}),
              search_dense(dense, query, Metric::cosine, nullptr, 9, {}));
    const std::vector<SparseView> s = {
        {std::make_shared<const SparsePart>(files->open(folder.path() / "sparse", map)), {}}};
    EXPECT_TRUE(s[0].part->verify({}).empty());
    EXPECT_EQ(search_sparse(s, {300, 4000}, terms, &kDefaultBm25, nullptr, 9, {}),
              search_sparse(sparse, {300, 4000}, terms, &kDefaultBm25, nullptr, 9, {}));
  }
}

TEST(PosixFileSystem, ADiskAndAQuotaThatAreFullAreTheSame) {
  EXPECT_EQ(medium_errc(ENOSPC), Errc::storage_full);
  EXPECT_EQ(medium_errc(EDQUOT), Errc::storage_full);
  EXPECT_EQ(medium_errc(EIO), Errc::io_error);
}

TEST(PosixFileSystem, TellsWhatANameStandsFor) {
  const TemporaryFolder folder;
  const auto files = posix_file_system();
  folder.write("file", "");
  std::filesystem::create_symlink("nowhere", folder.path() / "link");
  EXPECT_EQ(files->type_of(folder.path()), FileType::directory);
  EXPECT_EQ(files->type_of(folder.path() / "file"), FileType::other);
  for (const char* none : {"link", "none", "file/none"})
    EXPECT_EQ(files->type_of(folder.path() / none), FileType::none);
  EXPECT_TRUE(files->is_taken(folder.path() / "link"));
  EXPECT_FALSE(files->is_taken(folder.path() / "file" / "none"));
  EXPECT_EQ(error_of([&] { files->type_of(folder.path() / std::string(300, 'x')); }).errc(), Errc::io_error);
}

}  // namespace
}  // namespace ragstone::segment
