#include "recovered_store.hpp"
#include "store/sqlite/tools.hpp"
#include "support/faults/faulty_store.hpp"
#include "support/rounds.hpp"
#include "support/store/store_history.hpp"
#include "support/store/store_script.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSeed = 8100;

/// A closed store, an archive of it, and what they hold.
class ToolFaults : public testing::Test {
 protected:
  ToolFaults() {
    StoreScript script(history_, kSeed, 0, [&] { return sqlite_engine(store_, busy_options()); });
    script.run(40);
    script.close();
    generation_ = script.acknowledged();
    export_store(store_, archive_);
  }

  /// What is there besides the store and the archive.
  bool has_leftovers() const {
    return std::any_of(fs::directory_iterator(temporary_.path()), fs::directory_iterator(), [](const auto& entry) {
      return entry.path().filename() != "kb" && entry.path().filename() != "kb.rag";
    });
  }

  /// Fails calls of `run`, which makes `made`, in every way; `check` looks at what it made without an error.
  void sweep(const fs::path& made, const std::function<void(const sqlite::EngineHooks&)>& run,
             const std::function<void()>& check) {
    const auto plan = std::make_shared<FaultPlan>();
    const FaultyStore faulty(plan);
    std::size_t cases = 0;
    std::size_t errors = 0;
    for (const Fault fault : {Fault::io_error, Fault::short_write, Fault::failed_sync, Fault::full})
      for (const bool for_good : {false, true}) {
        plan->fail(SIZE_MAX, fault, false);
        run(faulty.hooks());
        const std::size_t calls = plan->candidates();
        fs::remove_all(made);
        for (std::size_t call = 0; call < calls && !HasFailure(); call += stride(calls, 10), ++cases) {
          SCOPED_TRACE("call " + std::to_string(call) + " of " + std::to_string(calls) + ", fault " +
                       std::to_string(static_cast<int>(fault)) + (for_good ? " for good" : " once"));
          plan->fail(call, fault, for_good);
          try {
            run(faulty.hooks());
            plan->heal();
            check();
          } catch (const Error& error) {
            plan->heal();
            ++errors;
            // What cannot be read looks like damage to who salvages.
            EXPECT_TRUE(is_of_medium(error) || error.errc() == Errc::corrupt_store) << error.what();
            // The last call makes it durable: what is there then is whole.
            if (fs::exists(made)) check();
          }
          fs::remove_all(made);
          EXPECT_FALSE(has_leftovers());
        }
      }
    std::cout << cases << " calls failed, " << errors << " ended with an error\n";
    EXPECT_GT(errors, cases / 4);
  }

  void expect_content(const fs::path& folder) { expect_recovered(folder, history_, generation_, generation_); }

  TemporaryFolder temporary_;
  fs::path store_ = temporary_.path() / "kb";
  fs::path archive_ = temporary_.path() / "kb.rag";
  StoreHistory history_{kSeed};
  Generation generation_ = 0;
};

// F3, F4
TEST_F(ToolFaults, AnExportIsWholeOrNotThere) {
  const fs::path made = temporary_.path() / "again.rag";
  sweep(
      made, [&](const sqlite::EngineHooks& hooks) { sqlite::export_store(store_, made, hooks, {}); },
      [&] {
        const TemporaryFolder folder;
        import_store(made, folder.path() / "kb");
        expect_content(folder.path() / "kb");
      });
}

// F3, F4
TEST_F(ToolFaults, AnImportIsWholeOrNotThere) {
  const fs::path made = temporary_.path() / "imported";
  sweep(
      made, [&](const sqlite::EngineHooks& hooks) { sqlite::import_store(archive_, made, hooks, {}); },
      [&] { expect_content(made); });
}

// F3, F4
TEST_F(ToolFaults, ARecoveryIsWholeOrNotThereAndTellsWhatItCouldNotRead) {
  const fs::path made = temporary_.path() / "recovered";
  RecoveryReport report;
  const std::size_t all = sqlite_engine(store_)->snapshot()->sources({}).size();
  sweep(
      made, [&](const sqlite::EngineHooks& hooks) { report = sqlite::recover_store(store_, made, hooks, {}); },
      [&] {
        const auto engine = sqlite_engine(made);
        EXPECT_TRUE(engine->verify().ok());
        if (report.lost.empty()) {
          EXPECT_EQ(engine->snapshot()->sources({}).size(), all);
        }
      });
}

}  // namespace
}  // namespace ragstone::test
