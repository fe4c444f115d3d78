#include "rag/index_registry.hpp"

#include <ragstone/async/offload.hpp>
#include <ragstone/base/error.hpp>

#include <optional>
#include <shared_mutex>
#include <utility>

namespace ragstone {
namespace {

constexpr std::size_t kReplayBatch = 4096;

/// Applies one batch on a pool thread; the index's own exception is recorded, and false returned.
Task<bool> apply(Pool pool, std::shared_ptr<RegisteredIndex> index, IndexUpdate update, bool clear_first) {
  auto batch = std::make_shared<const IndexUpdate>(std::move(update));
  Work<bool> work;
  work.set([index, batch, clear_first](const StopToken& stop) {
    throw_if_stopped(stop);
    try {
      if (clear_first) index->clear();
      index->update(*batch, stop);
      return true;
    } catch (...) {
      throw_if_stopped(stop);
      index->set_failure(std::current_exception());
      return false;
    }
  });
  co_return co_await offload(pool, Lane::background, std::move(work));
}

Task<void> replay(std::shared_ptr<Store> store, Pool pool, std::shared_ptr<RegisteredIndex> index, Snapshot at,
                  CallContext context) {
  NodeQuery query;
  query.group = index->group();
  query.limit = kReplayBatch;
  // What is being saved would be loaded into the new state.
  const Permit unsaved = co_await index->saving().acquire();
  index->set_failure(std::make_exception_ptr(Error(Errc::stale_index, "it is being rebuilt")));
  bool first = true;
  for (bool last = false; !last;) {
    IndexUpdate update;
    update.upserts = co_await store->nodes(query, at, context);
    last = update.upserts.size() < kReplayBatch;
    if (!last) query.after = update.upserts.back().id;
    update.to = last ? at.generation() : 0;
    const bool applied = co_await apply(pool, index, std::move(update), first);
    if (!applied) co_return;
    first = false;
  }
  index->set_failure(nullptr);
}

/// Loads what was saved of an index that holds nothing. Whatever is wrong with it is noted: a replay follows.
Task<void> load(std::shared_ptr<Store> store, Pool pool, std::shared_ptr<RegisteredIndex> index, Generation latest) {
  Work<void> work;
  work.set([files = store->index_files(), index, latest](const StopToken&) {
    std::string note = "replayed: nothing was saved";
    try {
      const std::shared_ptr<const IndexImage> image = files ? files->open(index->name(), index->form()) : nullptr;
      if (image && image->generation() > latest) {
        note = "replayed: what was saved is newer than the store";
      } else if (image) {
        index->load(image);
        note = "loaded at generation " + std::to_string(image->generation());
      }
    } catch (...) {
      note = "replayed: " + message_of(std::current_exception());
    }
    index->set_note(std::move(note));
  });
  co_await offload(pool, Lane::background, std::move(work));
}

}  // namespace

RegisteredIndex::RegisteredIndex(std::string name, std::string group, std::shared_ptr<Index> index,
                                 Generation opened_at)
    : Index(index->generation()),
      name_(std::move(name)),
      group_(std::move(group)),
      index_(std::move(index)),
      ahead_(generation() > opened_at) {}

bool RegisteredIndex::in_use() const {
  const std::lock_guard lock(mutex_);
  return in_use_;
}

void RegisteredIndex::set_in_use() {
  const std::lock_guard lock(mutex_);
  in_use_ = true;
}

std::exception_ptr RegisteredIndex::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void RegisteredIndex::set_failure(std::exception_ptr error) {
  const std::lock_guard lock(mutex_);
  failure_ = std::move(error);
}

void RegisteredIndex::set_note(std::string note) {
  const std::lock_guard lock(mutex_);
  note_ = std::move(note);
}

bool RegisteredIndex::is_savable() {
  try {
    return !form().empty();
  } catch (...) {
    set_note("not saved: " + message_of(std::current_exception()));
    return false;
  }
}

IndexStatus RegisteredIndex::status() const {
  IndexStatus status;
  status.name = name_;
  status.group = group_;
  status.generation = generation();
  {
    const std::lock_guard lock(mutex_);
    status.note = note_;
  }
  if (const std::exception_ptr error = failure()) {
    status.stale = true;
    status.reason = message_of(error);
  }
  return status;
}

void RegisteredIndex::do_update(const IndexUpdate& update, const StopToken& stop) {
  const std::lock_guard change(changing_);
  const std::lock_guard lock(busy_);
  index_->update(update, stop);
}

void RegisteredIndex::do_clear() {
  const std::lock_guard change(changing_);
  const std::lock_guard lock(busy_);
  index_->clear();
  saved_.store(0, std::memory_order_relaxed);
  ahead_.store(false, std::memory_order_relaxed);
}

std::string RegisteredIndex::do_form() const {
  const std::string form = index_->form();
  return form.empty() ? form : form + " over \"" + group_ + '"';
}

void RegisteredIndex::do_save(IndexOutput& output, const StopToken& stop) const {
  const std::lock_guard lock(changing_);
  index_->save(output, stop);
}

void RegisteredIndex::do_load(std::shared_ptr<const IndexImage> image) {
  const Generation generation = image->generation();
  const std::lock_guard change(changing_);
  const std::lock_guard lock(busy_);
  index_->load(std::move(image));
  saved_.store(generation, std::memory_order_relaxed);
}

bool RegisteredIndex::do_is_due() const {
  const std::shared_lock lock(busy_);
  return index_->is_due();
}

std::vector<ScoredNode> RegisteredIndex::do_query(const IndexQuery& query, const StopToken& stop) const {
  const std::shared_lock lock(busy_);
  if (const std::exception_ptr error = failure())
    throw Error(Errc::stale_index, "index \"" + name_ + "\" missed an update (" + message_of(error) +
                                       "); Document::rebuild_index() makes it usable again");
  return index_->query(query, stop);
}

void IndexRegistry::add(std::string name, std::string group, std::shared_ptr<Index> index, Generation opened_at) {
  if (name.empty() || !index) throw Error(Errc::invalid_argument, "register_index: a name and an index are needed");
  const std::lock_guard lock(mutex_);
  for (const auto& entry : indexes_)
    if (entry.first != name && entry.second->is_over(*index))
      throw Error(Errc::invalid_argument, "register_index: the index of \"" + name + "\" is registered as \"" +
                                              entry.first + "\" already; make one for each name");
  auto& place = indexes_[name];
  if (place) throw Error(Errc::already_exists, "register_index: there is an index \"" + name + "\" already");
  place = std::make_shared<RegisteredIndex>(std::move(name), std::move(group), std::move(index), opened_at);
}

std::shared_ptr<RegisteredIndex> IndexRegistry::find(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = indexes_.find(name);
  if (found != indexes_.end()) return found->second;
  std::string all;
  for (const auto& entry : indexes_) all += (all.empty() ? "" : ", ") + entry.first;
  throw Error(Errc::not_found,
              "there is no index \"" + name + "\"; registered indexes: " + (all.empty() ? "none" : all));
}

std::vector<std::shared_ptr<RegisteredIndex>> IndexRegistry::current() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<RegisteredIndex>> current;
  for (const auto& entry : indexes_)
    if (entry.second->in_use() && !entry.second->failure()) current.push_back(entry.second);
  return current;
}

std::vector<std::shared_ptr<RegisteredIndex>> IndexRegistry::idle() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<RegisteredIndex>> idle;
  for (const auto& entry : indexes_)
    if (!entry.second->in_use() && entry.second->is_savable()) idle.push_back(entry.second);
  return idle;
}

std::vector<IndexStatus> IndexRegistry::statuses() const {
  const std::lock_guard lock(mutex_);
  std::vector<IndexStatus> statuses;
  for (const auto& entry : indexes_) statuses.push_back(entry.second->status());
  return statuses;
}

Task<void> bring_up_to_date(std::shared_ptr<Store> store, Pool pool, std::shared_ptr<RegisteredIndex> index,
                            bool from_scratch) {
  const CallContext context = CallContext().with_lane(Lane::background);
  const Snapshot at = co_await store->pin(context);
  if (index->is_ahead()) {
    from_scratch = true;
    index->set_note("replayed: it was newer than the store");
  }
  if (!from_scratch && index->generation() == 0 && index->is_savable())
    co_await load(store, pool, index, at.generation());
  const Generation from = index->generation();
  std::optional<GroupChange> change;
  if (!from_scratch && from != 0 && from <= at.generation())
    change = co_await store->changes(index->group(), from, at, context);
  if (!change) {
    co_await replay(store, pool, index, at, context);
    if (!index->failure()) co_await save_index(store, pool, index, SaveWhen::changed);
  } else if (from < at.generation()) {
    IndexUpdate update;
    update.from = from;
    update.to = at.generation();
    update.removed = std::move(change->removed);
    if (!change->upserts.empty()) {
      NodeQuery query;
      query.group = index->group();
      query.ids = std::move(change->upserts);
      update.upserts = co_await store->nodes(query, at, context);
    }
    co_await apply(pool, index, std::move(update), false);
  }
  index->set_in_use();
}

Task<void> save_index(std::shared_ptr<Store> store, Pool pool, std::shared_ptr<RegisteredIndex> index, SaveWhen when) {
  if (!index->is_savable()) co_return;
  const Permit alone = co_await index->saving().acquire();
  if (index->failure()) co_return;
  Work<void> work;
  work.set([files = store->index_files(), index, when](const StopToken& stop) {
    try {
      if (when == SaveWhen::due ? !index->is_due() : index->saved() == index->generation()) return;
      std::shared_ptr<const IndexImage> image;
      if (files) {
        image = files->save(index->name(), *index, stop);
      } else {
        auto in_memory = std::make_shared<MemoryIndexImage>(index->generation());
        index->save(*in_memory, stop);
        image = std::move(in_memory);
      }
      index->load(std::move(image));
    } catch (...) {
      throw_if_stopped(stop);
      index->set_note("not saved: " + message_of(std::current_exception()));
    }
  });
  co_await offload(pool, Lane::background, std::move(work));
}

}  // namespace ragstone
