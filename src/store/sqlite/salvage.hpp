#pragma once

#include "store/sqlite/damaged_table.hpp"
#include "store/sqlite/node_rows.hpp"
#include "store/sqlite/part_rows.hpp"
#include "store/sqlite/source_rows.hpp"
#include <ragstone/store/commit.hpp>
#include <ragstone/store/sqlite_tools.hpp>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

namespace ragstone::sqlite {

/// Reads a damaged store source by source, and trusts nothing that does not match its checksums.
class Salvage {
 public:
  /// `report` hears of what is lost. Both outlive it.
  Salvage(Database& database, const PartFolder& parts, RecoveryReport& report);

  /// Adds the next source that can be read to a commit, no id twice. False at the end. Errors: Errc::corrupt_store
  /// where none could be read, nor how many there were.
  bool next(Commit& commit);

 private:
  struct Group {
    SourceGroup row;
    GroupRows rows;
    std::vector<NodeId> parents;  ///< Of the rows.
  };

  void load_definitions();
  void find_last_source();
  void load_parts(const PartFolder& files);
  void load_log();
  void load_fresh(Generation commit);
  void add_part(const LoadedPart& loaded);
  std::optional<SourceRow> next_row();
  bool next_fresh(Commit& commit);
  void add(SourceWrite write, Commit& commit);
  std::optional<SourceWrite> read(SourceRow row);
  std::optional<SourceWrite> read(const FreshSource& source);
  /// What all nodes of a group and their columns give; `find` gives a node with its own text and metadata.
  using FindNode = std::function<const StoredNode*(NodeId)>;
  std::vector<GroupRows> read_groups(const SourceRow& source, std::vector<SourceGroup> stored, const FindNode& find);
  /// Puts the places of its nodes' parents into a group. False if one is not there.
  static bool number_parents(Group& group, const std::vector<NodeId>& parents);
  std::optional<Group> read_group(const SourceRow& source, SourceGroup row, const FindNode& find);
  void add_columns(const SourceRow& source, Group& group);
  std::optional<std::vector<float>> vectors(DefinitionNumber column, const Group& group) const;
  void tell_left();
  void lose_group(const std::string& group, const SourceRow& source, std::string problem);
  void lose_repeated(const std::string& id);
  void lose(std::string object, std::string problem, std::vector<std::string> sources);

  Database& database_;
  RecoveryReport& report_;
  const RowNumbers numbers_;  ///< Of sources.
  Catalog catalog_;
  std::map<DefinitionNumber, std::vector<segment::DenseView>> parts_;  ///< What is damaged is dead in them.
  std::int64_t last_source_ = 0;                                       ///< Where what cannot be read ends at last.
  std::string no_last_source_;  ///< Why no place tells the last one; empty if one does.
  NodeId end_of_nodes_ = 0;     ///< Above the ids of all nodes in the tables.
  std::size_t most_nodes_ = 0;
  std::int64_t at_ = 0;
  std::map<DefinitionNumber, std::vector<std::string>> left_;  ///< Sources with sparse vectors of a model.
  std::vector<FreshSources::Pointer> fresh_;                   ///< Those that are not read yet, the next one last.
  std::unordered_set<std::string> ids_;                        ///< Of the sources that it gave.
};

}  // namespace ragstone::sqlite
