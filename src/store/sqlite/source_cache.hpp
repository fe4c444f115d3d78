#pragma once

#include "store/sqlite/text_blocks.hpp"
#include <ragstone/base/metadata.hpp>
#include <ragstone/text/offset_map.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace ragstone::sqlite {

/// What nodes take from their source.
struct NodeSource {
  std::int64_t number = 0;
  std::string id;
  Metadata metadata;
  TextPlace text;  ///< As whoever read it sees it: compaction moves texts within a generation.
  bool has_offset_map = false;
};

/// Sources of one generation that were read lately: most queries come back to a few of them. Thread-safe.
class SourceCache {
 public:
  /// Null if it is not there.
  std::shared_ptr<const NodeSource> find(std::int64_t number) const;
  std::shared_ptr<const NodeSource> find(std::string_view id) const;
  void add(std::int64_t number, std::shared_ptr<const NodeSource> source);

  std::shared_ptr<const OffsetMap> find_map(std::string_view id) const;
  void add_map(std::string_view id, std::shared_ptr<const OffsetMap> map);

 private:
  template <class Key, class Value>
  using Map = std::unordered_map<Key, std::shared_ptr<const Value>>;

  mutable std::mutex mutex_;
  Map<std::int64_t, NodeSource> by_number_;
  Map<std::string, NodeSource> by_id_;
  Map<std::string, OffsetMap> maps_;
};

}  // namespace ragstone::sqlite
