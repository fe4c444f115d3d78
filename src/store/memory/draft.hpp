#pragma once

#include "store/memory/state.hpp"
#include <ragstone/base/stop.hpp>
#include <ragstone/store/commit.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ragstone::memory {

/// The state that a commit makes out of another one, which it leaves as it is. Each source is changed at most once.
class Draft {
 public:
  explicit Draft(const State& base);

  /// Errors of all of them: Errc::invalid_argument, Errc::dimension_mismatch; the draft is of no use afterwards.
  bool write(SourceWrite write);
  /// False, and nothing is changed, if the write no longer fits what is stored.
  bool write(GroupWrite write);
  void fail(SourceFailure failure);
  void touch(const SourceTouch& touch);
  /// Says in `result` what became of it. `as_of`: see Commit::removals_as_of.
  void remove(std::string source, std::optional<Generation> as_of, CommitResult& result);

  /// What was done to each group that was changed. Valid until finish().
  std::vector<GroupChange> changes();
  State finish(const StopToken& stop);

 private:
  template <class Added>
  struct Part {
    std::vector<std::string> erased;  ///< Sources.
    std::vector<Added> added;
  };

  struct GroupDraft {
    GroupState next;  ///< Its definitions are up to date; its tiers are changed by finish().
    Part<RowSegment::Entry> nodes;
    std::map<ColumnDefinition, Part<DenseSegment::Input>> dense;
    std::map<std::string, Part<SparseSegment::Input>> sparse;
    GroupChange change;
  };

  GroupDraft& group(const std::string& name);
  bool fits(const GroupWrite& write, const StoredSource* stored) const;
  void check_children(const StoredSource& source, const GroupWrite& write) const;
  void check_dimension(const ColumnDefinition& definition) const;

  /// Puts a group in place of `old` (null: none); `parent` is null for a root.
  std::shared_ptr<const StoredGroup> write_group(GroupRows rows, std::shared_ptr<const SourceBody> source,
                                                 const StoredGroup* old, const StoredRows* parent);
  std::shared_ptr<const StoredRows> write_nodes(GroupRows& rows, std::shared_ptr<const SourceBody> source,
                                                const StoredGroup* old, const StoredRows* parent);
  std::shared_ptr<const StoredGroup> write_columns(GroupRows columns, const StoredGroup& old);
  void add_columns(GroupRows& columns, StoredGroup& to);
  void drop_column(const std::string& key, StoredGroup& from);
  void drop_nodes(const StoredGroup& old);
  void drop_group(const StoredGroup& old);
  void put_source(StoredSource source, bool replaces);

  const State& base_;
  NodeId next_id_;
  Part<SourceSegment::Entry> sources_;
  std::map<std::string, GroupDraft> groups_;
};

}  // namespace ragstone::memory
