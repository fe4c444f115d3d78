#include "store/filter_cache.hpp"

#include <cstring>
#include <utility>

namespace ragstone {
namespace {

// An entry's nodes in the list and the map, roughly.
constexpr std::size_t kEntryBytes = 200;

}  // namespace

Selection FilterCache::find(std::uint64_t part, std::string_view filter, Generation generation) {
  const std::string key = key_of(part, filter);
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(key);
  if (place == places_.end() || place->second->generation > generation) return nullptr;
  entries_.splice(entries_.begin(), entries_, place->second);
  return place->second->rows;
}

void FilterCache::put(std::uint64_t part, std::string_view filter, Generation generation, Selection rows) {
  std::list<Entry> added;
  added.push_back({key_of(part, filter), generation, std::move(rows)});
  if (bytes_of(added.front()) > max_bytes_) return;
  const std::lock_guard lock(mutex_);
  if (const auto known = places_.find(added.front().key); known != places_.end()) {
    // What was found earlier serves more snapshots.
    if (known->second->generation <= generation) return;
    erase(known->second);
  }
  places_.emplace(added.front().key, added.begin());
  bytes_ += bytes_of(added.front());
  entries_.splice(entries_.begin(), added);
  while (bytes_ > max_bytes_) erase(std::prev(entries_.end()));
}

std::string FilterCache::key_of(std::uint64_t part, std::string_view filter) {
  std::string key(sizeof part, '\0');
  std::memcpy(key.data(), &part, sizeof part);
  return key.append(filter);
}

std::size_t FilterCache::bytes_of(const Entry& entry) noexcept {
  return entry.key.size() + entry.rows->bytes() + kEntryBytes;
}

void FilterCache::erase(std::list<Entry>::iterator entry) {
  bytes_ -= bytes_of(*entry);
  places_.erase(entry->key);
  entries_.erase(entry);
}

}  // namespace ragstone
