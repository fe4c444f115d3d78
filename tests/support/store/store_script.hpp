#pragma once

#include "support/store/store_history.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/store/engine.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>

namespace ragstone::test {

/// Runs a seeded program over a store: commits of a history, sealing and merging, declarations of fields and vector
/// indexes, reads, backups, reopening. A step that fails with an error of the medium leaves the store as it was, or the
/// commit in doubt; the program goes on with the next step.
class StoreScript {
 public:
  using Open = std::function<std::shared_ptr<StoreEngine>()>;

  /// The store has the history's state of generation `from`, or is not there if that is 0; `in_doubt`: or the next one.
  StoreScript(StoreHistory& history, std::uint64_t seed, Generation from, Open open, bool in_doubt = false);

  /// Whenever it opens the store, vectors are to have graphs; FaultyStore builds them over a few rows.
  bool with_graphs = false;
  /// Called when a commit has returned.
  std::function<void(Generation)> on_acknowledged;
  /// Called now and then with a snapshot that must show the generation.
  std::function<void(const StoreSnapshot&, Generation)> on_read;
  /// Called now and then to back up the store, which has the generation.
  std::function<void(const StoreEngine&, Generation)> on_backup;
  /// Called with what went wrong; if not set, the exception leaves run().
  std::function<void(const Error&)> on_failure;

  /// Opens the store if it is not open, and does so many steps.
  void run(std::size_t steps);
  /// Commits what comes next.
  void commit();
  /// Seals and merges all that is due.
  void maintain();
  void close();

  StoreEngine* engine() const noexcept { return engine_.get(); }
  /// The highest generation that is known to be committed.
  Generation acknowledged() const noexcept { return acknowledged_; }
  /// The next generation was being committed when an error came, and may be there after a crash.
  bool in_doubt() const noexcept { return in_doubt_; }

 private:
  void guarded(const std::function<void()>& step);
  void step();
  void open();
  void commit_next();
  void declare_fields();
  void declare_vector_index();
  void read();

  StoreHistory& history_;
  std::mt19937_64 random_;
  Open open_;
  std::shared_ptr<StoreEngine> engine_;
  std::shared_ptr<const StoreSnapshot> pinned_;
  Generation pinned_generation_ = 0;
  Generation acknowledged_;
  bool in_doubt_;
};

/// True for the errors that a failing medium may cause.
bool is_of_medium(const Error& error);

}  // namespace ragstone::test
