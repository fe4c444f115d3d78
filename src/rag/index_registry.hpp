#pragma once

#include "rag/writer_first_mutex.hpp"
#include <ragstone/async/limiter.hpp>
#include <ragstone/async/pool.hpp>
#include <ragstone/async/single_flight.hpp>
#include <ragstone/async/task.hpp>
#include <ragstone/index/index.hpp>
#include <ragstone/model/store.hpp>
#include <ragstone/rag/document.hpp>

#include <atomic>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace ragstone {

/// A user's index with the guarantees that Index promises: no query while it changes, refused once it is stale; it is
/// saved while it is queried.
class RegisteredIndex final : public Index {
 public:
  /// `opened_at`: the generation that the store was opened with.
  RegisteredIndex(std::string name, std::string group, std::shared_ptr<Index> index, Generation opened_at);

  const std::string& name() const noexcept { return name_; }
  const std::string& group() const noexcept { return group_; }
  bool is_over(const Index& index) const noexcept { return index_.get() == &index; }
  const SharedOperation& catching_up() const noexcept { return catching_up_; }
  /// Held while it is saved or replayed.
  const Limiter& saving() const noexcept { return saving_; }

  /// Whether it has been brought up to date once, so that commits must keep it so.
  bool in_use() const;
  void set_in_use();
  /// Whether it came with a later generation than the store was opened with: of commits that the store has lost, so
  /// that what it holds may differ from the store's state at whatever generation. Until it is cleared.
  bool is_ahead() const noexcept { return ahead_.load(std::memory_order_relaxed); }
  /// Null unless stale.
  std::exception_ptr failure() const;
  void set_failure(std::exception_ptr error);
  void set_note(std::string note);
  /// Whether it has a form to be saved in. An index that throws when it is asked has none, and its status says why.
  bool is_savable();
  /// The generation of the last load(); 0: none.
  Generation saved() const noexcept { return saved_.load(std::memory_order_relaxed); }
  IndexStatus status() const;

 private:
  void do_update(const IndexUpdate& update, const StopToken& stop) override;
  void do_clear() override;
  std::vector<ScoredNode> do_query(const IndexQuery& query, const StopToken& stop) const override;
  std::string do_form() const override;
  void do_save(IndexOutput& output, const StopToken& stop) const override;
  void do_load(std::shared_ptr<const IndexImage> image) override;
  bool do_is_due() const override;

  const std::string name_;
  const std::string group_;
  const std::shared_ptr<Index> index_;
  SharedOperation catching_up_;
  const Limiter saving_{1};
  // Held by pool threads only.
  mutable std::mutex changing_;  ///< Before busy_; by all but queries, so that a save delays no query.
  mutable WriterFirstMutex busy_;
  mutable std::mutex mutex_;
  bool in_use_ = false;
  std::exception_ptr failure_;
  std::string note_;
  std::atomic<Generation> saved_ = 0;
  std::atomic<bool> ahead_;
};

/// The indexes of a Document by name. Thread-safe.
class IndexRegistry {
 public:
  /// `opened_at`: see RegisteredIndex.
  void add(std::string name, std::string group, std::shared_ptr<Index> index, Generation opened_at);
  /// Errors: Errc::not_found, with what there is.
  std::shared_ptr<RegisteredIndex> find(const std::string& name) const;
  /// Those in use and not stale.
  std::vector<std::shared_ptr<RegisteredIndex>> current() const;
  /// Those that can be saved and are not in use.
  std::vector<std::shared_ptr<RegisteredIndex>> idle() const;
  std::vector<IndexStatus> statuses() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<RegisteredIndex>> indexes_;
};

/// Makes an index equal to its group in the store's latest state: by the change log's difference, or by a replay where
/// the log does not reach back, the index is ahead of the store, or `from_scratch` asks for it. An index that holds
/// nothing loads what was saved first; a replay ends with saving it. What the index throws makes it stale; everything
/// else is thrown. At most one call at a time for one index.
Task<void> bring_up_to_date(std::shared_ptr<Store> store, Pool pool, std::shared_ptr<RegisteredIndex> index,
                            bool from_scratch);

enum class SaveWhen {
  due,      ///< The index says that it pays.
  changed,  ///< It holds another generation than what was saved.
};

/// Saves an index that can be saved, and has it load that; it may be queried and updated meanwhile. A failure is noted
/// in its status: what it holds in memory is as good as before.
Task<void> save_index(std::shared_ptr<Store> store, Pool pool, std::shared_ptr<RegisteredIndex> index, SaveWhen when);

}  // namespace ragstone
