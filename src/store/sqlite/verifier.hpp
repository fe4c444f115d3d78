#pragma once

#include "store/sqlite/damage_log.hpp"
#include "store/sqlite/node_rows.hpp"
#include "store/sqlite/source_rows.hpp"
#include "store/sqlite/state.hpp"
#include <ragstone/base/stop.hpp>
#include <ragstone/store/verify.hpp>

#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace ragstone::sqlite {

/// Tells what SQLite finds wrong in a database.
void check_integrity(Database& database, const StopToken& stop, const std::function<void(std::string)>& tell);

/// One run of StoreEngine::verify().
class Verifier {
 public:
  /// The connection is in a transaction that sees what `state` was loaded from. All outlive the verifier.
  Verifier(Database& database, const State& state, DamageLog* damage, const StopToken& stop);

  VerifyReport run() &&;

 private:
  /// A row that some part of a column must have.
  struct ExpectedRow {
    NodeId node = 0;
    std::int64_t source = 0;
    Hash128 content;
  };
  struct Counts {
    std::int64_t sources = 0;
    std::int64_t own_metadata = 0;
  };

  void check_database();
  void check_sources();
  void check_source(const SourceRow& source);
  void check_fresh_source(const FreshSource& source);
  /// `find` gives a node with its own text and metadata; null if it is missing.
  using FindNode = std::function<const StoredNode*(NodeId)>;
  void check_group(const SourceRow& source, const SourceGroup& group, std::string_view text, const FindNode& find,
                   std::string& problem);
  void check_columns();
  void check_part(const Part& part);
  void check_rows(DefinitionNumber definition, std::vector<ExpectedRow>& expected);
  void check_counts();
  void check_blocks();
  void check_changes();

  void add(std::string object, std::string problem, std::vector<std::string> sources = {});
  /// Makes a finding of an exception; a cancellation goes on its way.
  void add(std::string object, const std::exception_ptr& error, std::vector<std::string> sources = {});
  std::string source_id(std::int64_t number);

  Database& database_;
  const State& state_;
  DamageLog* damage_;
  const StopToken& stop_;
  VerifyReport report_;
  std::int64_t stored_ = 0;
  std::map<DefinitionNumber, Counts> groups_;
  std::map<DefinitionNumber, Counts> columns_;
  std::map<DefinitionNumber, std::vector<ExpectedRow>> rows_;
  std::map<std::int64_t, std::int64_t> block_use_;
};

}  // namespace ragstone::sqlite
