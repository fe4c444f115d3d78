#include "store/sqlite/lost_columns.hpp"

namespace ragstone::sqlite {
namespace {

void run(Database& database, const char* sql, DefinitionNumber column, std::int64_t source) {
  Statement& statement = database.statement(sql);
  statement.bind_integer(1, column);
  statement.bind_integer(2, source);
  statement.run();
}

}  // namespace

LostColumns LostColumns::load(Database& database) {
  LostColumns lost;
  Statement& read = database.statement("SELECT definition, source FROM lost_column");
  const Rows guard(read);
  while (read.step()) lost.sources_[read.integer(0)].insert(read.integer(1));
  return lost;
}

void LostColumns::add(Database& database, DefinitionNumber column, std::int64_t source) {
  if (!sources_[column].insert(source).second) return;
  run(database, "INSERT INTO lost_column(definition, source) VALUES(?1, ?2)", column, source);
}

void LostColumns::remove(Database& database, DefinitionNumber column, std::int64_t source) {
  const auto of_column = sources_.find(column);
  if (of_column == sources_.end() || of_column->second.erase(source) == 0) return;
  if (of_column->second.empty()) sources_.erase(of_column);
  run(database, "DELETE FROM lost_column WHERE definition = ?1 AND source = ?2", column, source);
}

}  // namespace ragstone::sqlite
