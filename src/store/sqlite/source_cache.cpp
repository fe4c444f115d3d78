#include "store/sqlite/source_cache.hpp"

#include <utility>

namespace ragstone::sqlite {
namespace {

constexpr std::size_t kSources = 512;
// An offset map may be as large as its source.
constexpr std::size_t kMaps = 16;

template <class Map, class Key>
typename Map::mapped_type found_in(const Map& map, const Key& key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : found->second;
}

}  // namespace

std::shared_ptr<const NodeSource> SourceCache::find(std::int64_t number) const {
  const std::lock_guard lock(mutex_);
  return found_in(by_number_, number);
}

std::shared_ptr<const NodeSource> SourceCache::find(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  return found_in(by_id_, std::string(id));
}

void SourceCache::add(std::int64_t number, std::shared_ptr<const NodeSource> source) {
  const std::lock_guard lock(mutex_);
  if (by_number_.size() == kSources) {
    by_number_.clear();
    by_id_.clear();
  }
  by_id_[source->id] = source;
  by_number_[number] = std::move(source);
}

std::shared_ptr<const OffsetMap> SourceCache::find_map(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  return found_in(maps_, std::string(id));
}

void SourceCache::add_map(std::string_view id, std::shared_ptr<const OffsetMap> map) {
  const std::lock_guard lock(mutex_);
  if (maps_.size() == kMaps) maps_.clear();
  maps_[std::string(id)] = std::move(map);
}

}  // namespace ragstone::sqlite
