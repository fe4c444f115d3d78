#pragma once

#include "index/selected_rows.hpp"
#include <ragstone/base/ids.hpp>

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace ragstone {

/// What filters allow of the rows of immutable parts, for all snapshots of a store. The selections that were asked for
/// last are kept, up to a number of bytes. Thread-safe.
///
/// A row that is live shows the same metadata as long as it lives, because a commit that changes metadata writes new
/// rows. So what was found at one generation holds at all later ones, for rows that live then; at earlier ones it need
/// not, because rows that died in between may have been evaluated with the metadata of their successors.
class FilterCache {
 public:
  explicit FilterCache(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  /// `part` is a number that no other part ever has; `filter` is Filter::to_string(). Null if nothing is known.
  Selection find(std::uint64_t part, std::string_view filter, Generation generation);
  /// Found at `generation`.
  void put(std::uint64_t part, std::string_view filter, Generation generation, Selection rows);

 private:
  struct Entry {
    std::string key;
    Generation generation = 0;
    Selection rows;
  };

  static std::string key_of(std::uint64_t part, std::string_view filter);
  static std::size_t bytes_of(const Entry& entry) noexcept;
  void erase(std::list<Entry>::iterator entry);

  const std::size_t max_bytes_;
  std::mutex mutex_;
  std::size_t bytes_ = 0;
  std::list<Entry> entries_;  ///< The one that was used last in front.
  std::unordered_map<std::string_view, std::list<Entry>::iterator> places_;
};

}  // namespace ragstone
