// A writer that is killed: ragstone_kill_child FOLDER SEED GENERATION STEPS GRAPHS LAYERS CALL HALFWAY
//
// Runs a StoreScript over a store that shows GENERATION, with graphs if GRAPHS is 1, with backups into new folders
// beside it and an index that is saved now and then, and writes each acknowledged generation to standard output as
// eight bytes. LAYERS is "real", or "counted": then it kills itself at the call of that number, halfway through it if
// HALFWAY is 1 and it is a write. Ends with 0 after its steps.
#include "support/faults/fault_plan.hpp"
#include "support/faults/faulty_store.hpp"
#include "support/store/saved_words.hpp"
#include "support/store/store_history.hpp"
#include "support/store/store_script.hpp"
#include <ragstone/store/sqlite_engine.hpp>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <memory>
#include <string>

#include <unistd.h>

namespace ragstone::test {
namespace {

void run(char** arguments) {
  const std::filesystem::path folder = arguments[1];
  const std::uint64_t seed = std::stoull(arguments[2]);
  const Generation generation = std::stoull(arguments[3]);
  const std::size_t steps = std::stoull(arguments[4]);
  const bool with_graphs = std::string(arguments[5]) == "1";
  const bool counted = std::string(arguments[6]) == "counted";

  const auto plan = std::make_shared<FaultPlan>();
  const FaultyStore store(plan);
  sqlite::EngineHooks hooks = store.hooks();
  if (counted) {
    plan->kill(std::stoull(arguments[7]), std::string(arguments[8]) == "1");
  } else {
    hooks.files = segment::posix_file_system();
    hooks.vfs.clear();
  }
  StoreHistory history(seed);
  history.at(generation);
  StoreScript script(history, seed + generation, generation,
                     [&] { return sqlite::make_engine(folder, busy_options(), hooks); });
  script.with_graphs = with_graphs;
  script.on_acknowledged = [&](Generation acknowledged) {
    if (::write(STDOUT_FILENO, &acknowledged, sizeof acknowledged) != sizeof acknowledged) ::_exit(4);
    if (acknowledged % 4 == 0) save_words(*script.engine(), acknowledged);
  };
  int backups = 0;
  script.on_backup = [&](const StoreEngine& engine, Generation) {
    engine.backup(folder.parent_path() / ("backup" + std::to_string(backups++)));
  };
  script.run(steps);
  script.close();
}

}  // namespace
}  // namespace ragstone::test

int main(int count, char** arguments) {
  if (count != 9) return 2;
  try {
    ragstone::test::run(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ragstone_kill_child: %s\n", error.what());
    return 3;
  }
}
