#include "store/sqlite/vector_index_settings.hpp"

#include <ragstone/base/error.hpp>

#include <cstdint>
#include <string>

namespace ragstone::sqlite {

VectorIndexes load_vector_indexes(Database& database) {
  VectorIndexes indexes;
  Statement& read = database.statement(
      "SELECT key, metric_type, index_type, m, ef_construction, recall, ef, exact FROM vector_index ORDER BY key");
  const Rows guard(read);
  while (read.step()) {
    const std::string key(read.text(0));
    VectorIndexOptions options;
    try {
      options.metric_type = parse_metric_type(read.text(1));
      options.index_type = parse_index_type(read.text(2));
      options.m = static_cast<std::size_t>(read.integer(3));
      options.ef_construction = static_cast<std::size_t>(read.integer(4));
      options.recall = read.real(5);
      options.ef = static_cast<std::size_t>(read.integer(6));
      options.exact = read.integer(7) != 0;
      check_vector_index(key, options);
    } catch (const Error& error) {
      throw Error(Errc::corrupt_store, "store: what it keeps of the vector index of \"" + key + "\" is damaged (" +
                                           error.what() + "); verify the store, then recover it");
    }
    indexes.emplace(key, options);
  }
  return indexes;
}

void save_vector_indexes(Database& database, const VectorIndexes& indexes) {
  database.execute("DELETE FROM vector_index");
  Statement& insert = database.statement("INSERT INTO vector_index VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
  for (const auto& [key, options] : indexes) {
    insert.bind_text(1, key);
    insert.bind_text(2, metric_type_name(options.metric_type));
    insert.bind_text(3, index_type_name(options.index_type));
    insert.bind_integer(4, static_cast<std::int64_t>(options.m));
    insert.bind_integer(5, static_cast<std::int64_t>(options.ef_construction));
    insert.bind_real(6, options.recall);
    insert.bind_integer(7, static_cast<std::int64_t>(options.ef));
    insert.bind_integer(8, options.exact ? 1 : 0);
    insert.run();
  }
}

}  // namespace ragstone::sqlite
