#include <ragstone/base/error.hpp>
#include <ragstone/model/cache.hpp>

#include <iterator>
#include <list>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace ragstone {
namespace {

class MemoryCache final : public Cache {
 public:
  explicit MemoryCache(CacheOptions options) : options_(options) {}

 private:
  using Clock = std::chrono::steady_clock;

  struct Entry {
    CacheKind kind;
    Hash128 key;
    std::string value;
    std::optional<Clock::time_point> expires;
  };
  using Entries = std::list<Entry>;  // used last, first
  using Map = std::unordered_map<Hash128, Entries::iterator>;

  Task<std::vector<std::optional<std::string>>> do_get(CacheKind kind, std::vector<Hash128> keys,
                                                       CallContext) override {
    const std::lock_guard lock(mutex_);
    std::vector<std::optional<std::string>> values(keys.size());
    Map& map = map_of(kind);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      auto found = map.find(keys[i]);
      if (found != map.end() && found->second->expires && *found->second->expires <= Clock::now()) {
        drop(found->second);
        found = map.end();
      }
      ++(found == map.end() ? stats_.misses : stats_.hits);
      if (found == map.end()) continue;
      entries_.splice(entries_.begin(), entries_, found->second);
      values[i] = found->second->value;
    }
    co_return values;
  }

  Task<void> do_put(CacheKind kind, std::vector<CacheEntry> entries, std::optional<std::chrono::seconds> time_to_live,
                    CallContext) override {
    const std::lock_guard lock(mutex_);
    Map& map = map_of(kind);
    std::optional<Clock::time_point> expires;
    if (time_to_live) expires = Clock::now() + *time_to_live;
    for (CacheEntry& entry : entries) {
      if (const auto old = map.find(entry.key); old != map.end()) drop(old->second);
      if (entry.value.size() > options_.max_bytes) continue;
      stats_.bytes += entry.value.size();
      entries_.push_front(Entry{kind, entry.key, std::move(entry.value), expires});
      map[entry.key] = entries_.begin();
    }
    for (; stats_.bytes > options_.max_bytes; ++stats_.evicted) drop(std::prev(entries_.end()));
    co_return;
  }

  Task<CacheStats> do_stats(CallContext) override {
    const std::lock_guard lock(mutex_);
    CacheStats stats = stats_;
    stats.entries = entries_.size();
    co_return stats;
  }

  Map& map_of(CacheKind kind) { return kind == CacheKind::embedding ? embeddings_ : chats_; }

  void drop(Entries::iterator entry) {
    stats_.bytes -= entry->value.size();
    map_of(entry->kind).erase(entry->key);
    entries_.erase(entry);
  }

  const CacheOptions options_;
  std::mutex mutex_;
  Entries entries_;
  Map embeddings_;
  Map chats_;
  CacheStats stats_;
};

}  // namespace

Task<std::vector<std::optional<std::string>>> Cache::get(CacheKind kind, std::vector<Hash128> keys,
                                                         CallContext context) {
  const std::size_t count = keys.size();
  std::vector<std::optional<std::string>> values = co_await do_get(kind, std::move(keys), std::move(context));
  if (values.size() != count)
    throw Error(Errc::internal, "cache: gave " + std::to_string(values.size()) + " values for " +
                                    std::to_string(count) + " keys; Cache::do_get() must give one for each");
  co_return values;
}

Task<void> Cache::put(CacheKind kind, std::vector<CacheEntry> entries, std::optional<std::chrono::seconds> time_to_live,
                      CallContext context) {
  return do_put(kind, std::move(entries), time_to_live, std::move(context));
}

Task<CacheStats> Cache::stats(CallContext context) { return do_stats(std::move(context)); }

std::shared_ptr<Cache> memory_cache(CacheOptions options) { return std::make_shared<MemoryCache>(options); }

}  // namespace ragstone
