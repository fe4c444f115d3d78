#pragma once

#include "store/sqlite/catalog.hpp"
#include "store/sqlite/database.hpp"
#include "store/sqlite/node_rows.hpp"
#include "store/sqlite/source_rows.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// A commit that only brings a few small new sources puts them whole into its row of the log: one page changes instead
/// of one for each table. The sources of the newest commits may be *fresh* in this way; snapshots hold them in memory.
/// They are unfolded into the tables in the background, many at once, and before any commit of another kind; so their
/// numbers and those of their nodes are above all that the tables hold.
namespace ragstone::sqlite {

struct FreshSource {
  SourceRow row;  ///< Its text has no place yet.
  std::string text;
  std::vector<StoredNode> nodes;  ///< Of all its groups, one after the other; ascending by id. There may be none.

  /// Null if it is another source's.
  const StoredNode* find(NodeId id) const noexcept;
};

/// An immutable list, shared by states.
class FreshSources {
 public:
  using Pointer = std::shared_ptr<const FreshSource>;

  bool empty() const noexcept { return sources_.empty(); }
  std::size_t size() const noexcept { return sources_.size(); }
  std::size_t bytes() const noexcept { return bytes_; }  ///< Of their texts.
  const std::vector<Pointer>& all() const noexcept { return sources_; }

  /// Null if it is not fresh.
  const FreshSource* find(std::string_view id) const noexcept;
  const FreshSource* find(std::int64_t number) const noexcept;
  const StoredNode* find_node(NodeId id) const noexcept;
  /// True for sources that the tables may hold too, if they were unfolded since.
  bool holds(std::int64_t number) const noexcept { return !empty() && number >= sources_.front()->row.number; }

  /// With one more, whose number and nodes are above all others.
  FreshSources with(Pointer source) const;

 private:
  std::vector<Pointer> sources_;  ///< Ascending by number.
  std::size_t bytes_ = 0;
};

/// Adds a source to what a row of the log holds.
void append_fresh(std::string& sources, const FreshSource& source);

/// Is told of a source that cannot be read: what it is, its id ("": not even that), and why.
using OnDamagedSource = std::function<void(const std::string& what, const std::string& id, const std::string& why)>;

/// The fresh sources of one commit that can be read; none if there is no such row.
std::vector<FreshSources::Pointer> read_fresh(Database& database, Generation commit, const OnDamagedSource& on_damage);
/// Those of the last `catalog.fresh_commits` commits. Errors: Errc::corrupt_store for what is damaged, unless
/// `on_damage` is there to be told.
FreshSources load_fresh(Database& database, const Catalog& catalog, const OnDamagedSource& on_damage = {});

/// Moves them to the tables. The counters of `catalog` are to be saved after it.
void unfold(Database& database, Catalog& catalog, const FreshSources& sources);

}  // namespace ragstone::sqlite
