#pragma once

#include "store/sqlite/catalog.hpp"
#include "store/sqlite/database.hpp"

#include <cstdint>
#include <map>
#include <set>

namespace ragstone::sqlite {

/// Which sources lost rows of a column to damage. Those rows are dead in the parts; the others are hits as before,
/// until the column is written anew for the source, from its text and the vectors that are left.
class LostColumns {
 public:
  static LostColumns load(Database& database);

  bool empty() const noexcept { return sources_.empty(); }
  bool has(DefinitionNumber column) const { return sources_.contains(column); }
  bool has(DefinitionNumber column, std::int64_t source) const {
    const auto of_column = sources_.find(column);
    return of_column != sources_.end() && of_column->second.contains(source);
  }
  const std::map<DefinitionNumber, std::set<std::int64_t>>& all() const noexcept { return sources_; }

  /// Both write the database too.
  void add(Database& database, DefinitionNumber column, std::int64_t source);
  void remove(Database& database, DefinitionNumber column, std::int64_t source);

 private:
  std::map<DefinitionNumber, std::set<std::int64_t>> sources_;
};

}  // namespace ragstone::sqlite
