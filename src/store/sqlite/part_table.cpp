#include "store/sqlite/part_table.hpp"

namespace ragstone::sqlite {

void insert_part(Database& database, const PartRecord& part) {
  Statement& insert = database.statement(
      "INSERT INTO part(number, definition, rows, file, dead_tokens, digest, dead, image) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
  insert.bind_integer(1, part.number);
  insert.bind_integer(2, part.definition);
  insert.bind_integer(3, static_cast<std::int64_t>(part.rows));
  insert.bind_text(4, part.file);
  insert.bind_integer(5, static_cast<std::int64_t>(part.dead_tokens));
  insert.bind_integer(6, part.digest);
  insert.bind_blob(7, part.dead);
  if (part.image) {
    insert.bind_blob(8, *part.image);
  } else {
    insert.bind_null(8);
  }
  insert.run();
}

}  // namespace ragstone::sqlite
