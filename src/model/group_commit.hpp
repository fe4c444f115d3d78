#pragma once

#include <ragstone/store/engine.hpp>

#include <condition_variable>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <stop_token>
#include <utility>

namespace ragstone {

/// Brings together the commits that wait for a thread to carry them out: whoever gets one first takes all that wait
/// with it, and the others find theirs done; what the engine leaves of them is the next in line. Thread-safe.
class GroupCommit {
 public:
  /// A commit in line. Given up, it is carried out only if that has begun.
  class Entry {
   public:
    explicit Entry(Commit commit) : pending_(std::move(commit), given_up_.get_token()) {}

    void give_up() noexcept { given_up_.request_stop(); }

   private:
    friend class GroupCommit;
    enum class State { waiting, taken, done };

    std::stop_source given_up_;
    PendingCommit pending_;
    State state_ = State::waiting;  ///< Under the line's mutex.
  };

  explicit GroupCommit(std::shared_ptr<StoreEngine> engine) : engine_(std::move(engine)) {}

  /// It stands in line from now on.
  std::shared_ptr<Entry> add(Commit commit);
  /// Returns once the entry has been carried out, by this call or by another one. Errors: as StoreEngine::commit().
  CommitResult run(const std::shared_ptr<Entry>& entry);

 private:
  using Entries = std::list<std::shared_ptr<Entry>>;

  Entries take_group();
  /// How many of them were carried out.
  std::size_t carry_out(const Entries& group);
  void settle(Entries& group, std::size_t done) noexcept;

  const std::shared_ptr<StoreEngine> engine_;
  std::mutex mutex_;
  std::condition_variable ended_;
  Entries line_;
};

}  // namespace ragstone
