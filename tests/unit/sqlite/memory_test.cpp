#include "support/errors.hpp"
#include "support/faults/failing_memory.hpp"
#include "support/rounds.hpp"
#include "support/store/samples.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/store/memory_engine.hpp>
#include <ragstone/store/sqlite_engine.hpp>
#include <ragstone/store/sqlite_tools.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <sqlite3.h>

namespace ragstone::test {
namespace {

namespace fs = std::filesystem;

constexpr int kSources = 12;

SqliteOptions options() {
  SqliteOptions options;
  options.durability = Durability::fast;
  options.seal_rows = 8;
  return options;
}

SourceWrite source(int number, const std::string& text) {
  SourceWrite write = sample_lines("s" + std::to_string(number), text, {{"number", Scalar(std::int64_t{number})}});
  std::vector<std::vector<float>> vectors;
  for (std::size_t i = 0; i < write.groups[1].rows.size(); ++i) vectors.push_back({static_cast<float>(number), 1});
  write.groups[1].dense.push_back(sample_vectors("e", "two", vectors, 2));
  return write;
}

void commit(StoreEngine& engine, SourceWrite write) {
  Commit commit;
  commit.sources.push_back(std::move(write));
  engine.commit(std::move(commit));
}

/// One public operation over a store, which it is given open; for `open` itself it is not.
struct Operation {
  const char* name;
  std::function<void(StoreEngine&, const fs::path&)> run;
};

const std::vector<Operation>& operations() {
  static const std::vector<Operation> operations = {
      {"add", [](StoreEngine& engine, const fs::path&) { commit(engine, source(100, "river\n桥梁\n")); }},
      {"update", [](StoreEngine& engine, const fs::path&) { commit(engine, source(3, "another river\n")); }},
      {"remove",
       [](StoreEngine& engine, const fs::path&) {
         Commit commit;
         commit.removals = {"s4"};
         engine.commit(std::move(commit));
       }},
      {"maintain",
       [](StoreEngine& engine, const fs::path&) {
         while (engine.maintain()) {
         }
       }},
      {"query",
       [](StoreEngine& engine, const fs::path&) {
         const auto at = engine.snapshot();
         const std::vector<TermWeight> terms = {{"river", 1}};
         const std::vector<float> query = {1, 0};
         at->search_terms("line", kBm25Key, terms, {}, Filter::parse("number > 3"), 5);
         at->search_vectors("line", "e", query, Metric::cosine, Filter::parse("absent == 1 or number > 3"), 5);
         NodeQuery nodes;
         nodes.group = "line";
         at->nodes(nodes);
         at->sources({});
         at->text("s1");
       }},
      {"backup", [](StoreEngine& engine, const fs::path& folder) { engine.backup(folder / "backup"); }},
      {"verify", [](StoreEngine& engine, const fs::path&) { engine.verify(); }},
      {"close", [](StoreEngine& engine, const fs::path&) { engine.close(); }},
  };
  return operations;
}

/// Copies of one store, with staged and sealed parts, on which operations run out of memory.
class MemoryFaults : public testing::TestWithParam<bool> {
 protected:
  MemoryFaults() {
    const auto engine = sqlite_engine(template_, options());
    engine->declare_fields({{"number", FieldKind::integer}});
    for (int i = 0; i < kSources; ++i) {
      commit(*engine, source(i, "river " + std::to_string(i) + "\nstone 石头\n"));
      if (i == kSources / 2)
        while (engine->maintain()) {
        }
    }
    // Not closed, so that staged parts stay.
  }

  /// Runs one case on a fresh copy; gives the number of allocations that the operation made.
  std::size_t run(const Operation* operation, std::size_t number, bool for_good, bool is_first = false) {
    const TemporaryFolder copy;
    fs::copy(template_, copy.path() / "kb", fs::copy_options::recursive);
    std::size_t allocations = 0;
    const std::size_t live = live_allocations();
    const sqlite3_int64 in_sqlite = sqlite3_memory_used();
    {
      std::shared_ptr<StoreEngine> engine;
      if (operation != nullptr) engine = sqlite_engine(copy.path() / "kb", options());
      const Contents before = engine ? contents_of(*engine) : Contents();
      bool refused = false;
      try {
        const MemoryFault fault(number, for_good);
        try {
          if (operation != nullptr) {
            operation->run(*engine, copy.path());
          } else {
            engine = sqlite_engine(copy.path() / "kb", options());
          }
        } catch (const std::bad_alloc&) {
          refused = true;
        } catch (const Error&) {
          refused = true;
        }
        allocations = fault.allocations();
      } catch (const std::exception& error) {
        ADD_FAILURE() << error.what();
      }
      if (refused) {
        ++refused_;
        EXPECT_TRUE(!engine || contents_of(*engine) == before) << "what was refused has changed something";
      }
      const auto commit_afterwards = [&] { commit(*engine, source(200, "afterwards\n")); };
      if (operation == &operations().back()) {
        EXPECT_EQ(error_of(commit_afterwards).errc(), Errc::closed) << "it was not closed";
      } else if (engine) {
        // What failed for want of memory works once there is some.
        commit_afterwards();
      }
    }
    if (!is_first) {
      EXPECT_EQ(live_allocations(), live) << "memory is lost";
      EXPECT_LE(sqlite3_memory_used(), in_sqlite) << "SQLite's memory is lost";
    }
    expect_whole(copy.path() / "kb");
    if (fs::exists(copy.path() / "backup")) expect_whole(copy.path() / "backup");
    ++cases_;
    return allocations;
  }

  /// Ids and contents of all sources.
  using Contents = std::vector<std::pair<std::string, Hash128>>;

  static Contents contents_of(const StoreEngine& engine) {
    Contents contents;
    for (const SourceRecord& record : engine.snapshot()->sources({})) contents.emplace_back(record.id, record.content);
    return contents;
  }

  static void expect_whole(const fs::path& folder) {
    const auto engine = sqlite_engine(folder, options());
    for (const StoreFinding& finding : engine->verify().findings)
      ADD_FAILURE() << finding.object << ": " << finding.problem;
    EXPECT_GE(engine->snapshot()->sources({}).size(), kSources - 1u);
    EXPECT_TRUE(engine->snapshot()->text("s1").has_value());
  }

  void sweep(const Operation* operation) {
    const bool for_good = GetParam();
    run(operation, SIZE_MAX, false, true);  // Whatever is made once in a process is made now.
    const std::size_t allocations = run(operation, SIZE_MAX, false);
    ASSERT_GT(allocations, 0u);
    allocations_ += allocations;
    // Opening makes few.
    const std::size_t step = operation == nullptr ? 1 : stride(allocations, 6);
    for (std::size_t number = 0; number < allocations && !HasFailure(); number += step) {
      SCOPED_TRACE(std::string(operation != nullptr ? operation->name : "open") + ", allocation " +
                   std::to_string(number) + (for_good ? " and all later ones" : ""));
      run(operation, number, for_good);
    }
  }

  TemporaryFolder temporary_;
  fs::path template_ = temporary_.path() / "kb";
  std::size_t allocations_ = 0;  ///< Of all operations, that could fail.
  std::size_t cases_ = 0;
  std::size_t refused_ = 0;
};

// F5
TEST_P(MemoryFaults, OperationsThatRunOutOfMemorySaySoLoseNoneAndLeaveTheStoreWhole) {
  sweep(nullptr);
  for (const Operation& operation : operations()) sweep(&operation);
  std::cout << allocations_ << " allocations, " << cases_ << " runs, " << refused_ << " ended with an error\n";
  EXPECT_GT(refused_, cases_ / 4);
}

struct VectorCase {
  std::string engine;
  bool for_good = false;
};

/// Vectors, in an engine that is made anew for each case: the building of their graph, and a search.
class VectorMemory : public testing::TestWithParam<VectorCase> {
 protected:
  static constexpr std::size_t kRows = 5'000;
  static constexpr std::size_t kMostCases = 2'000;  // Each builds a graph.

  std::shared_ptr<StoreEngine> filled(const TemporaryFolder& folder) {
    const std::shared_ptr<StoreEngine> engine =
        GetParam().engine == "memory" ? memory_engine() : sqlite_engine(folder.path() / "kb", options());
    VectorIndexOptions index;
    index.index_type = IndexType::hnsw;
    index.m = 2;
    index.ef_construction = 4;
    engine->declare_vector_indexes({{"e", index}});
    commit(*engine, vectors());
    return engine;
  }

  static SourceWrite vectors() {
    std::string text;
    std::vector<std::vector<float>> rows;
    for (std::size_t row = 0; row < kRows; ++row) {
      text += std::to_string(row) + "\n";
      rows.push_back({static_cast<float>(row), 1});
    }
    SourceWrite write = sample_lines("many", text);
    write.groups[1].dense.push_back(sample_vectors("e", "two", rows, 2));
    return write;
  }

  static std::size_t found(const StoreEngine& engine) {
    const std::vector<float> query = {3, 1};
    return engine.snapshot()->search_vectors("line", "e", query, Metric::cosine, {}, 5).size();
  }

  static void maintain(StoreEngine& engine) {
    while (engine.maintain()) {
    }
  }

  /// Fails an allocation of `operation`, which is done again afterwards; gives how many it made.
  std::size_t run(const std::function<void(StoreEngine&)>& operation, std::size_t number, bool is_built) {
    const TemporaryFolder folder;
    const std::size_t live = live_allocations();
    std::shared_ptr<StoreEngine> engine = filled(folder);
    if (is_built) maintain(*engine);
    std::size_t allocations = 0;
    bool refused = false;
    {
      const MemoryFault fault(number, GetParam().for_good);
      try {
        operation(*engine);
      } catch (const std::bad_alloc&) {
        refused = true;
      } catch (const Error&) {
        refused = true;
      }
      allocations = fault.allocations();
    }
    if (GetParam().for_good) {
      EXPECT_EQ(refused, allocations > number) << "it failed unheard, or for no reason";
    }
    refused_ += refused ? 1 : 0;
    EXPECT_EQ(found(*engine), 5u);
    maintain(*engine);
    EXPECT_EQ(found(*engine), 5u);
    EXPECT_TRUE(engine->verify().ok());
    engine->close();
    engine.reset();
    // Whatever is made once in a process is made by the first run.
    if (number != SIZE_MAX) {
      EXPECT_EQ(live_allocations(), live) << "memory is lost";
    }
    return allocations;
  }

  void sweep(const std::function<void(StoreEngine&)>& operation, bool is_built) {
    const std::size_t allocations = run(operation, SIZE_MAX, is_built);
    ASSERT_GT(allocations, 0u);
    const std::size_t step = std::max(stride(allocations, 8), allocations / kMostCases);
    std::size_t cases = 0;
    for (std::size_t number = 0; number < allocations && !HasFailure(); number += step, ++cases) {
      SCOPED_TRACE("allocation " + std::to_string(number) + " of " + std::to_string(allocations));
      run(operation, number, is_built);
    }
    std::cout << cases << " of " << allocations << " allocations failed, " << refused_ << " were told so far\n";
  }

  std::size_t refused_ = 0;
};

// F5
TEST_P(VectorMemory, AGraphThatRunsOutOfMemoryIsBuiltOnceThereIsSome) {
  sweep(maintain, false);
  EXPECT_GT(refused_, 0u);
}

// F5
TEST_P(VectorMemory, ASearchThatRunsOutOfMemorySaysSo) {
  sweep([](StoreEngine& engine) { EXPECT_EQ(found(engine), 5u); }, true);
  EXPECT_GT(refused_, 0u);
}

INSTANTIATE_TEST_SUITE_P(Engines, VectorMemory,
                         testing::Values(VectorCase{"memory", false}, VectorCase{"memory", true},
                                         VectorCase{"sqlite", false}, VectorCase{"sqlite", true}),
                         [](const auto& instance) {
                           return instance.param.engine + (instance.param.for_good ? "ForGood" : "Once");
                         });

INSTANTIATE_TEST_SUITE_P(Failing, MemoryFaults, testing::Bool(),
                         [](const auto& instance) { return instance.param ? "ForGood" : "Once"; });

}  // namespace
}  // namespace ragstone::test

int main(int argc, char** argv) {
  ragstone::test::hand_memory_to_tests();
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
