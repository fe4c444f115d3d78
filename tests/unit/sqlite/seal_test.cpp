#include "store/sqlite/database.hpp"
#include "store/sqlite/engine.hpp"
#include "support/errors.hpp"
#include "support/forwarding_file_system.hpp"
#include "support/store/samples.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/store/sqlite_engine.hpp>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

namespace fs = std::filesystem;

/// Does something before each call that a seal makes of the file system outside of a transaction.
class WatchedFiles final : public ForwardingFileSystem {
 public:
  std::function<void()> before_call = [] {};

  std::unique_ptr<segment::OutputFile> create(const fs::path& path) override {
    before_call();
    return std::make_unique<File>(*this, ForwardingFileSystem::create(path));
  }
  void rename(const fs::path& from, const fs::path& to) override {
    before_call();
    ForwardingFileSystem::rename(from, to);
  }
  void sync_directory(const fs::path& path) override {
    before_call();
    ForwardingFileSystem::sync_directory(path);
  }
  std::shared_ptr<const segment::Image> open(const fs::path& path, bool map) override {
    before_call();
    return ForwardingFileSystem::open(path, map);
  }

 private:
  class File final : public segment::OutputFile {
   public:
    File(WatchedFiles& files, std::unique_ptr<segment::OutputFile> file) : files_(files), file_(std::move(file)) {}
    void write(std::uint64_t offset, std::string_view bytes) override {
      files_.before_call();
      file_->write(offset, bytes);
    }
    void sync() override {
      files_.before_call();
      file_->sync();
    }

   private:
    WatchedFiles& files_;
    std::unique_ptr<segment::OutputFile> file_;
  };
};

constexpr int kSources = 12;

SourceWrite source(int number, const std::string& text) {
  SourceWrite write = sample_lines("s" + std::to_string(number), text, {{"number", Scalar(std::int64_t{number})}});
  write.groups[1].dense.push_back(sample_vectors("e", "two", {{static_cast<float>(number), 1}}, 2));
  return write;
}

void commit(StoreEngine& engine, SourceWrite write) {
  Commit commit;
  commit.sources.push_back(std::move(write));
  engine.commit(std::move(commit));
}

void expect_sources(const StoreEngine& engine, std::size_t expected) {
  for (const StoreFinding& finding : engine.verify().findings)
    ADD_FAILURE() << finding.object << ": " << finding.problem;
  const auto at = engine.snapshot();
  const std::vector<TermWeight> terms = {{"river", 1}};
  const std::vector<float> query = {1, 0};
  const Filter filter = Filter::parse("number >= 0");
  EXPECT_EQ(at->search_terms("line", kBm25Key, terms, {}, filter, 1000).size(), expected);
  EXPECT_EQ(at->search_vectors("line", "e", query, Metric::inner_product, filter, 1000).size(), expected);
  EXPECT_FALSE(at->text("s1").has_value());
  EXPECT_EQ(at->text("s2"), "changed river\n");
}

std::shared_ptr<StoreEngine> open(const TemporaryFolder& folder, std::shared_ptr<segment::FileSystem> files) {
  sqlite::EngineHooks hooks;
  hooks.files = std::move(files);
  SqliteOptions options;
  options.seal_rows = 4;
  return sqlite::make_engine(folder.path() / "kb", options, hooks);
}

/// Seals and merges, with a source removed and another one replaced before call number `at`; gives the number of calls.
std::size_t run(std::size_t at) {
  const TemporaryFolder folder;
  const auto files = std::make_shared<WatchedFiles>();
  auto engine = open(folder, files);
  engine->declare_fields({{"number", FieldKind::integer}});
  for (int i = 0; i < kSources; ++i) commit(*engine, source(i, "river " + std::to_string(i) + "\n"));
  std::size_t calls = 0;
  files->before_call = [&] {
    if (calls++ != at) return;
    Commit removal;
    removal.removals = {"s1"};
    engine->commit(std::move(removal));
    commit(*engine, source(2, "changed river\n"));
  };
  while (engine->maintain()) {
  }
  files->before_call = [] {};
  if (at >= calls) return calls;
  expect_sources(*engine, kSources - 1);
  engine.reset();
  engine = open(folder, files);
  expect_sources(*engine, kSources - 1);
  return calls;
}

// F3, and the seal protocol
TEST(SqliteSeal, NodesRemovedAndReplacedAtAnyStepOfASealAreGone) {
  const std::size_t calls = run(SIZE_MAX);
  ASSERT_GT(calls, 10u);
  for (std::size_t at = 0; at < calls && !testing::Test::HasFailure(); ++at) {
    SCOPED_TRACE("before call " + std::to_string(at) + " of " + std::to_string(calls));
    run(at);
  }
}

/// Holds whoever begins a segment file while it is closed.
class Gate {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return is_open_; });
    --waiting_;
  }
  void wait_for_one() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ > 0; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool is_open_ = false;
};

/// Holds a thread at a gate when it begins a file for the first time.
class GatedFiles final : public ForwardingFileSystem {
 public:
  std::atomic<std::thread::id> held;
  Gate gate;

  std::unique_ptr<segment::OutputFile> create(const fs::path& path) override {
    std::thread::id me = std::this_thread::get_id();
    if (held.compare_exchange_strong(me, {})) gate.pass();
    return ForwardingFileSystem::create(path);
  }
};

// However long a merge takes: what commits bring beside it is sealed by them, as far as it has to be.
TEST(SqliteSeal, CommitsGoOnBesideAMergeThatTakesLong) {
  const TemporaryFolder folder;
  const auto files = std::make_shared<GatedFiles>();
  const auto engine = open(folder, files);
  int number = 0;
  const auto fill = [&](int count) {
    for (const int end = number + count; number < end; ++number)
      commit(*engine, source(number, "river " + std::to_string(number) + "\n"));
  };
  fill(8);
  while (engine->maintain()) {
  }
  // Of another form from now on: the sealed part of vectors is merged with itself.
  VectorIndexOptions signs;
  signs.index_type = IndexType::bin_flat;
  engine->declare_vector_indexes({{"e", signs}});
  std::thread maintaining([&] {
    files->held = std::this_thread::get_id();
    engine->maintain();
  });
  files->gate.wait_for_one();
  // More than commits leave to maintain().
  fill(200);
  Commit removal;
  removal.removals = {"s1"};
  engine->commit(std::move(removal));
  commit(*engine, source(2, "changed river\n"));
  files->gate.open();
  maintaining.join();
  EXPECT_EQ(files->held.load(), std::thread::id()) << "no merge was held";
  while (engine->maintain()) {
  }
  expect_sources(*engine, static_cast<std::size_t>(number) - 1);
}

TEST(SqliteSeal, AColumnThatCannotBeSealedKeepsNoOtherOneFromIt) {
  const TemporaryFolder folder;
  const auto files = std::make_shared<WatchedFiles>();
  auto engine = open(folder, files);
  commit(*engine, source(1, "first river\n"));
  commit(*engine, source(2, "changed river\n"));
  int failures = 0;
  files->before_call = [&] {
    if (failures++ == 0) throw Error(Errc::io_error, "the first file cannot be made");
  };
  EXPECT_EQ(error_of([&] { engine->close(); }).errc(), Errc::io_error);
  sqlite::Database database(folder.path() / "kb" / "store.db", sqlite::OpenMode::read);
  sqlite::Statement& parts = database.statement("SELECT count(*) FROM part WHERE file <> ''");
  sqlite::Rows rows(parts);
  ASSERT_TRUE(rows.next());
  EXPECT_EQ(parts.integer(0), 1) << "of vectors and postings";
}

// F3
TEST(SqliteSeal, ASealThatACommitBeganDoesNotOutlastTheStore) {
  for (int round = 0; round < 20; ++round) {
    const TemporaryFolder folder;
    SqliteOptions options;
    options.seal_rows = 1;
    options.durability = Durability::fast;
    const auto engine = sqlite_engine(folder.path() / "kb", options);
    std::atomic<int> number = 0;
    std::atomic<int> ended = 0;
    const auto until_closed = [&](const std::function<void(int)>& change) {
      return std::thread([&, change] {
        try {
          for (;;) change(number++);
        } catch (const Error& error) {
          EXPECT_EQ(error.errc(), Errc::closed) << error.what();
        }
        ++ended;
      });
    };
    const auto many = [&](int i) {
      Commit commit;
      for (int n = 0; n < 10; ++n) commit.sources.push_back(source(10 * i + n, "river\n"));
      engine->commit(std::move(commit));
    };
    // Who closes waits for its turn among these.
    const auto declare = [&](int i) {
      VectorIndexOptions index;
      index.index_type = i % 2 == 0 ? IndexType::bin_flat : IndexType::hnsw;
      engine->declare_vector_indexes({{"other", index}});
    };
    std::vector<std::thread> threads;
    // One that commits: several may share an error, whose counting ThreadSanitizer does not see.
    threads.push_back(until_closed(many));
    threads.push_back(until_closed(declare));
    threads.push_back(until_closed(declare));
    while (number < 20) std::this_thread::yield();
    engine->close();
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(ended, 3);
  }
}

}  // namespace
}  // namespace ragstone::test
