#include "store/sqlite/source_rows.hpp"

#include "store/coding.hpp"
#include "store/sqlite/blobs.hpp"
#include "store/sqlite/digest.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>

namespace ragstone::sqlite {
namespace {

Hash128 read_hash(std::string_view bytes) {
  Hash128 hash;
  if (bytes.size() != hash.bytes.size())
    throw Error(Errc::corrupt_store, "store: a stored hash has " + std::to_string(bytes.size()) +
                                         " bytes; verify the store, then recover it");
  std::copy(bytes.begin(), bytes.end(), hash.bytes.begin());
  return hash;
}

std::string_view bytes_of(const Hash128& hash) {
  return {reinterpret_cast<const char*>(hash.bytes.data()), hash.bytes.size()};
}

void bind_stamp(Statement& statement, const std::optional<FileStamp>& stamp) {
  if (stamp) {
    statement.bind_integer(5, static_cast<std::int64_t>(stamp->size));
    statement.bind_integer(6, stamp->modified_ns);
  } else {
    statement.bind_null(5);
    statement.bind_null(6);
  }
}

}  // namespace

SourceRow read_source(const Statement& row) {
  SourceRow source;
  SourceRecord& record = source.record;
  source.number = row.integer(0);
  record.id = row.text(1);
  record.generation = static_cast<Generation>(row.integer(2));
  record.content = read_hash(row.blob(3));
  if (!row.is_null(4)) record.stamp = FileStamp{static_cast<std::uint64_t>(row.integer(4)), row.integer(5)};
  record.text_bytes = static_cast<std::uint64_t>(row.integer(6));
  source.text = {row.integer(7), static_cast<std::uint64_t>(row.integer(8)), record.text_bytes};
  record.state = row.integer(9) == 0 ? SourceState::ready : SourceState::failed;
  record.stage = static_cast<Stage>(std::clamp<std::int64_t>(row.integer(10), 0, static_cast<int>(Stage::done)));
  record.failed_as_stored = row.integer(11) != 0;
  record.attempts = static_cast<std::uint32_t>(row.integer(12));
  record.reason = row.text(13);
  record.reader = row.text(14);
  record.metadata = read_metadata(row.blob(15));
  record.offset_map = row.blob(16);
  source.text_digest = row.integer(17);
  source.digest = row.integer(18);
  source.groups = row.blob(19);
  return source;
}

std::optional<SourceRow> find_source(Database& database, std::string_view id) {
  static const std::string sql = std::string("SELECT ") + kSourceColumns + " FROM source WHERE id = ?1";
  Statement& find = database.statement(sql.c_str());
  const Rows guard(find);
  find.bind_text(1, id);
  if (!find.step()) return std::nullopt;
  return read_source(find);
}

std::vector<SourceRow> read_sources(Database& database, std::int64_t first, std::size_t limit) {
  static const std::string sql =
      std::string("SELECT ") + kSourceColumns + " FROM source WHERE number >= ?1 ORDER BY number LIMIT ?2";
  Statement& read = database.statement(sql);
  const Rows guard(read);
  read.bind_integer(1, first);
  read.bind_integer(2, static_cast<std::int64_t>(limit));
  std::vector<SourceRow> rows;
  while (read.step()) rows.push_back(read_source(read));
  return rows;
}

std::vector<std::int64_t> all_source_numbers(Database& database) {
  Statement& read = database.statement("SELECT number FROM source ORDER BY number");
  const Rows guard(read);
  std::vector<std::int64_t> numbers;
  while (read.step()) numbers.push_back(read.integer(0));
  return numbers;
}

void write_source(Database& database, const SourceRow& row) {
  static const std::string sql =
      std::string("INSERT OR REPLACE INTO source(") + kSourceColumns +
      ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)";
  const SourceRecord& record = row.record;
  const std::string metadata = write_metadata(record.metadata);
  Statement& put = database.statement(sql.c_str());
  put.bind_integer(1, row.number);
  put.bind_text(2, record.id);
  put.bind_integer(3, static_cast<std::int64_t>(record.generation));
  put.bind_blob(4, bytes_of(record.content));
  bind_stamp(put, record.stamp);
  put.bind_integer(7, static_cast<std::int64_t>(record.text_bytes));
  put.bind_integer(8, row.text.block);
  put.bind_integer(9, static_cast<std::int64_t>(row.text.offset));
  put.bind_integer(10, record.state == SourceState::ready ? 0 : 1);
  put.bind_integer(11, static_cast<std::int64_t>(record.stage));
  put.bind_integer(12, record.failed_as_stored ? 1 : 0);
  put.bind_integer(13, record.attempts);
  put.bind_text(14, record.reason);
  put.bind_text(15, record.reader);
  put.bind_blob(16, metadata);
  put.bind_blob(17, record.offset_map);
  put.bind_integer(18, row.text_digest);
  put.bind_integer(19, digest_of(row));
  put.bind_blob(20, row.groups);
  put.run();
}

void erase_source(Database& database, std::int64_t number) {
  Statement& erase = database.statement("DELETE FROM source WHERE number = ?1");
  erase.bind_integer(1, number);
  erase.run();
}

std::vector<SourceGroup> parse_groups(std::string_view bytes, NodeId end, std::size_t most) {
  std::vector<SourceGroup> groups;
  ByteReader in(bytes, "groups of a source");
  while (!in.at_end()) {
    SourceGroup& group = groups.emplace_back();
    group.definition = in.zigzag();
    group.nodes = read_ids(in.string(), end, most);
    group.columns = read_numbers(in.string());
    group.node_digest = in.raw<std::int64_t>();
    group.digest = in.raw<std::int64_t>();
  }
  return groups;
}

std::string format_groups(std::span<const SourceGroup> groups) {
  ByteWriter out;
  for (const SourceGroup& group : groups) {
    out.zigzag(group.definition);
    out.string(write_ids(group.nodes));
    out.string(write_numbers(group.columns));
    out.raw(group.node_digest);
    out.raw(group.digest);
  }
  return std::move(out).take();
}

std::shared_ptr<const OffsetMap> read_offset_map(Database& database, std::int64_t source) {
  Statement& read = database.statement("SELECT offset_map FROM source WHERE number = ?1");
  const Rows guard(read);
  read.bind_integer(1, source);
  const std::string_view map = read.step() ? read.blob(0) : std::string_view();
  return map.empty() ? nullptr : std::make_shared<const OffsetMap>(OffsetMap::parse(map));
}

std::vector<SourceGroup> read_groups(Database& database, std::int64_t source, NodeId end) {
  Statement& read = database.statement("SELECT groups FROM source WHERE number = ?1");
  const Rows guard(read);
  read.bind_integer(1, source);
  return read.step() ? parse_groups(read.blob(0), end) : std::vector<SourceGroup>();
}

void write_groups(Database& database, std::int64_t source, std::string_view groups) {
  Statement& update = database.statement("UPDATE source SET groups = ?2 WHERE number = ?1");
  update.bind_integer(1, source);
  update.bind_blob(2, groups);
  update.run();
}

std::int64_t digest_of(const SourceRow& row) {
  const SourceRecord& record = row.record;
  Digest digest;
  digest.integer(row.number);
  digest.text(record.id);
  digest.integer(static_cast<std::int64_t>(record.generation));
  digest.text(bytes_of(record.content));
  digest.integer(record.stamp ? 1 : 0);
  if (record.stamp) {
    digest.integer(static_cast<std::int64_t>(record.stamp->size));
    digest.integer(record.stamp->modified_ns);
  }
  digest.integer(static_cast<std::int64_t>(record.text_bytes));
  digest.integer(row.text.block);
  digest.integer(static_cast<std::int64_t>(row.text.offset));
  digest.integer(record.state == SourceState::ready ? 0 : 1);
  digest.integer(static_cast<std::int64_t>(record.stage));
  digest.integer(record.failed_as_stored ? 1 : 0);
  digest.integer(record.attempts);
  digest.text(record.reason);
  digest.text(record.reader);
  digest.text(write_metadata(record.metadata));
  digest.text(record.offset_map);
  digest.integer(row.text_digest);
  return std::move(digest).value();
}

std::int64_t digest_of(std::int64_t source, const SourceGroup& group, const Catalog& catalog) {
  const GroupDefinition& definition = catalog.group(group.definition);
  Digest digest;
  digest.integer(source);
  digest.text(definition.name);
  digest.text(definition.parent);
  digest.text(definition.signature);
  digest.text(write_ids(group.nodes));
  for (const DefinitionNumber number : group.columns) {
    const ColumnDefinition& column = catalog.column(number);
    digest.text(column.group);
    digest.text(column.key);
    digest.text(column.signature);
    digest.integer(column.dimension);
  }
  digest.integer(group.node_digest);
  return std::move(digest).value();
}

}  // namespace ragstone::sqlite
