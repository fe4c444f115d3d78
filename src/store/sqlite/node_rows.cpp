#include "store/sqlite/node_rows.hpp"

#include "store/sqlite/blobs.hpp"
#include <ragstone/base/error.hpp>

#include <cstring>
#include <string_view>

namespace ragstone::sqlite {
namespace {

constexpr std::int64_t kOwnText = 1;
constexpr std::int64_t kOwnMetadata = 2;

[[noreturn]] void damaged(NodeId id) {
  throw Error(Errc::corrupt_store,
              "store: the row of node " + std::to_string(id) + " is damaged; verify the store, then recover it");
}

bool has_extra(const StoredNode& node) { return !node.is_span || node.has_metadata; }

void erase(Database& database, const char* sql, NodeId id) {
  Statement& statement = database.statement(sql);
  statement.bind_integer(1, static_cast<std::int64_t>(id));
  statement.run();
}

void erase_extra(Database& database, NodeId id) { erase(database, "DELETE FROM node_extra WHERE id = ?1", id); }

}  // namespace

StoredNode read_node(const Statement& row) {
  StoredNode node;
  node.id = static_cast<NodeId>(row.integer(0));
  node.source = row.integer(1);
  node.definition = row.integer(2);
  node.number = static_cast<std::uint32_t>(row.integer(3));
  node.parent = static_cast<NodeId>(row.integer(4));
  const std::int64_t begin = row.integer(5);
  const std::int64_t size = row.integer(6);
  const std::string_view hashes = row.blob(8);
  if (begin < 0 || size < 0 || size > INT64_MAX - begin || hashes.size() != 2 * sizeof(Hash128)) damaged(node.id);
  node.span = {static_cast<std::uint64_t>(begin), static_cast<std::uint64_t>(begin + size)};
  node.is_span = (row.integer(7) & kOwnText) == 0;
  node.has_metadata = (row.integer(7) & kOwnMetadata) != 0;
  std::memcpy(&node.uid, hashes.data(), sizeof node.uid);
  std::memcpy(&node.content, hashes.data() + sizeof node.uid, sizeof node.content);
  return node;
}

void read_extra(Database& database, StoredNode& node) {
  if (!has_extra(node)) return;
  Statement& read = database.statement("SELECT text, metadata FROM node_extra WHERE id = ?1");
  const Rows guard(read);
  read.bind_integer(1, static_cast<std::int64_t>(node.id));
  if (!read.step()) damaged(node.id);
  node.text = read.text(0);
  node.metadata = read_metadata(read.blob(1));
}

std::optional<StoredNode> find_node(Database& database, NodeId id) {
  static const std::string sql = std::string("SELECT ") + kNodeColumns + " FROM node WHERE id = ?1";
  Statement& find = database.statement(sql.c_str());
  const Rows guard(find);
  find.bind_integer(1, static_cast<std::int64_t>(id));
  if (!find.step()) return std::nullopt;
  return read_node(find);
}

void write_node(Database& database, const StoredNode& node, const StoredNode* before) {
  static const std::string insert =
      std::string("INSERT INTO node(") + kNodeColumns + ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
  static const std::string replace =
      std::string("INSERT OR REPLACE INTO node(") + kNodeColumns + ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
  char hashes[2 * sizeof(Hash128)];
  std::memcpy(hashes, &node.uid, sizeof node.uid);
  std::memcpy(hashes + sizeof node.uid, &node.content, sizeof node.content);

  Statement& put = database.statement((before != nullptr ? replace : insert).c_str());
  put.bind_integer(1, static_cast<std::int64_t>(node.id));
  put.bind_integer(2, node.source);
  put.bind_integer(3, node.definition);
  put.bind_integer(4, node.number);
  put.bind_integer(5, static_cast<std::int64_t>(node.parent));
  put.bind_integer(6, static_cast<std::int64_t>(node.span.begin));
  put.bind_integer(7, static_cast<std::int64_t>(node.span.size()));
  put.bind_integer(8, (node.is_span ? 0 : kOwnText) | (node.has_metadata ? kOwnMetadata : 0));
  put.bind_blob(9, {hashes, sizeof hashes});
  put.run();
  if (!has_extra(node)) {
    if (before != nullptr && has_extra(*before)) erase_extra(database, node.id);
    return;
  }

  const std::string metadata = write_metadata(node.metadata);
  Statement& extra = database.statement("INSERT OR REPLACE INTO node_extra(id, text, metadata) VALUES(?1, ?2, ?3)");
  extra.bind_integer(1, static_cast<std::int64_t>(node.id));
  extra.bind_text(2, node.text);
  extra.bind_blob(3, metadata);
  extra.run();
}

void add_to_digest(Digest& digest, const StoredNode& node) {
  digest.integer(static_cast<std::int64_t>(node.id));
  digest.integer(node.number);
  digest.integer(static_cast<std::int64_t>(node.parent));
  digest.integer(static_cast<std::int64_t>(node.span.begin));
  digest.integer(static_cast<std::int64_t>(node.span.end));
  digest.integer(node.is_span ? 1 : 0);
  digest.text({reinterpret_cast<const char*>(node.uid.bytes.data()), node.uid.bytes.size()});
  digest.text({reinterpret_cast<const char*>(node.content.bytes.data()), node.content.bytes.size()});
  digest.text(node.text);
  digest.text(write_metadata(node.metadata));
}

void erase_node(Database& database, const StoredNode& node) {
  erase(database, "DELETE FROM node WHERE id = ?1", node.id);
  if (has_extra(node)) erase_extra(database, node.id);
}

}  // namespace ragstone::sqlite
