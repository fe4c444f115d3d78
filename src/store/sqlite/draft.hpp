#pragma once

#include "store/sqlite/node_rows.hpp"
#include "store/sqlite/part_rows.hpp"
#include "store/sqlite/source_rows.hpp"
#include "store/sqlite/state.hpp"
#include <ragstone/base/stop.hpp>
#include <ragstone/store/commit.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ragstone::sqlite {

/// New rows of one column.
struct ColumnRows {
  std::vector<segment::RowKey> keys;
  std::vector<float> values;                  ///< Of a dense column: [n x dimension].
  std::vector<SparseVectors> vectors;         ///< Of a sparse one: one after the other for n rows,
  std::vector<std::uint32_t> lengths;         ///< [n]
  std::vector<std::string> field_names;       ///< Of the column of declared fields.
  std::vector<std::optional<Scalar>> fields;  ///< [n x field_names]
};

/// Carries a commit out in an open transaction, and makes the state that follows from it. Each source is changed at
/// most once. Whoever rolls the transaction back forgets the draft.
class Draft {
 public:
  /// `generation`: of the state that it makes. `fresh` (null: sources go into the tables) is given what is written,
  /// which is new sources alone.
  Draft(Database& database, const State& base, Generation generation,
        std::vector<FreshSources::Pointer>* fresh = nullptr);

  /// Errors of all of them: Errc::invalid_argument, Errc::dimension_mismatch, the database's.
  bool write(SourceWrite write);
  /// False, and nothing is changed, if the write no longer fits what is stored.
  bool write(GroupWrite write);
  void fail(SourceFailure failure);
  void touch(const SourceTouch& touch);
  /// Says in `result` what became of it. `as_of`: see Commit::removals_as_of.
  void remove(std::string id, std::optional<Generation> as_of, CommitResult& result);
  /// Makes the columns of declared fields of a stored source what the declaration says.
  void renew_fields(const SourceRow& source);

  /// Writes what is left but the new parts, the catalog and the log: texts, dead rows.
  void finish();

  // What came of it; valid after finish().
  Catalog& catalog() noexcept { return catalog_; }
  const std::shared_ptr<const LostColumns>& lost() const noexcept { return lost_; }
  std::vector<GroupChange>& changes() noexcept { return changes_; }
  std::map<DefinitionNumber, ColumnRows>& new_rows() noexcept { return new_rows_; }
  /// Copies of the columns that lost rows.
  std::map<DefinitionNumber, Column>& thinned() noexcept { return thinned_; }

 private:
  /// A stored group of the source that is being written.
  struct Group {
    SourceGroup row;
    GroupDefinition definition;
    bool is_damaged = false;  ///< Its record is: its digest stays the wrong one.
  };
  /// The source whose rows are written.
  struct Owner {
    const SourceRow& row;
    const Metadata& metadata_before;  ///< Of the source as it was.
  };

  std::vector<Group> load_groups(const SourceRow& source) const;
  /// What `source.groups` holds for these groups of a source, whose rows are moved from.
  std::string format(std::int64_t source, std::vector<Group>& groups) const;
  Group write_rows(const Owner& owner, GroupRows& rows, const Group* old, const Group* parent);
  void write_nodes(const Owner& owner, GroupRows& rows, const Group* old, const Group* parent, Group& group);
  Group write_columns(const Owner& owner, GroupRows& columns, const Group& old);
  void add_columns(const Owner& owner, GroupRows& columns, std::span<const Hash128> contents, Group& to);
  /// Makes the column of declared fields where the group has other columns; `own` gives a node's own metadata by its
  /// number. False if the column is what it should be.
  bool put_fields(const Owner& owner, const std::function<Metadata(std::size_t)>& own, Group& to);
  std::function<Metadata(std::size_t)> stored_metadata(const Group& group) const;
  void free_text(const SourceRow& source);
  void drop_column(std::int64_t source, std::string_view key, Group& from);
  void drop_rows(std::int64_t source, const Group& old);
  /// The source no longer has the column, or has all of it again.
  void forget_loss(DefinitionNumber column, std::int64_t source);
  void drop_group(std::int64_t source, const Group& old);
  void kill(DefinitionNumber column, std::span<const NodeId> nodes);
  void check_children(const std::vector<Group>& groups, const GroupWrite& write) const;
  void check_dimension(const ColumnDefinition& definition) const;
  bool fits(const GroupWrite& write, const std::optional<SourceRow>& source, const std::vector<Group>& groups) const;
  GroupChange& change(const std::string& group);
  std::int64_t new_source_number();

  Database& database_;
  const State& base_;
  Catalog catalog_;
  std::shared_ptr<const LostColumns> lost_;
  TextWriter text_;
  std::vector<FreshSources::Pointer>* fresh_;
  std::vector<StoredNode> fresh_nodes_;  ///< Of the source that is being written.
  std::map<std::string, GroupChange> change_of_;
  std::vector<GroupChange> changes_;
  std::map<DefinitionNumber, ColumnRows> new_rows_;
  std::map<DefinitionNumber, Column> thinned_;
  std::map<DefinitionNumber, std::map<std::size_t, std::vector<std::uint32_t>>> killed_;  ///< By number in thinned_.
};

}  // namespace ragstone::sqlite
