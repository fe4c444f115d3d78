#include "store/sqlite/node_rows.hpp"

#include "store/coding.hpp"
#include "store/sqlite/blobs.hpp"
#include "store/sqlite/node_coding.hpp"
#include <ragstone/base/error.hpp>

#include <string_view>
#include <utility>

namespace ragstone::sqlite {
namespace {

[[noreturn]] void damaged(NodeId id) {
  throw Error(Errc::corrupt_store,
              "store: the row of node " + std::to_string(id) + " is damaged; verify the store, then recover it");
}

bool has_extra(const StoredNode& node) { return !node.is_span || node.has_metadata; }

std::string format_run(std::span<const StoredNode> run) {
  ByteWriter out;
  out.varint(run.front().number);
  NodePosition position;
  for (const StoredNode& node : run) write_node(out, node, position);
  return std::move(out).take();
}

bool continues(const StoredNode& last, const StoredNode& node, std::size_t nodes) {
  return last.id + 1 == node.id && last.source == node.source && last.definition == node.definition &&
         last.number + 1 == node.number && nodes < kNodesOfRun;
}

}  // namespace

std::vector<StoredNode> read_node_run(const Statement& row) {
  const auto first = static_cast<NodeId>(row.integer(0));
  ByteReader in(row.blob(3), "nodes of a source");
  auto number = static_cast<std::uint32_t>(in.varint(UINT32_MAX - kNodesOfRun));
  NodePosition position;
  std::vector<StoredNode> nodes;
  nodes.reserve(kNodesOfRun);
  while (!in.at_end()) {
    if (nodes.size() == kNodesOfRun) damaged(first);
    StoredNode& node = nodes.emplace_back();
    node.id = first + (nodes.size() - 1);
    node.source = row.integer(1);
    node.definition = row.integer(2);
    node.number = number++;
    read_node(in, node, position);
  }
  return nodes;
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

StoredNode* NodeFinder::find(NodeId id) {
  static const std::string sql =
      std::string("SELECT ") + kNodeRunColumns + " FROM node_run WHERE first <= ?1 ORDER BY first DESC LIMIT 1";
  const auto in_run = [&]() -> StoredNode* {
    if (run_.empty() || id < run_.front().id || id > run_.back().id) return nullptr;
    return &run_[id - run_.front().id];
  };
  if (StoredNode* known = in_run()) return known;
  Statement& read = database_.statement(sql);
  const Rows guard(read);
  read.bind_integer(1, static_cast<std::int64_t>(id));
  if (!read.step()) return nullptr;
  run_ = read_node_run(read);
  return in_run();
}

std::optional<StoredNode> find_node(Database& database, NodeId id) {
  NodeFinder finder(database);
  StoredNode* node = finder.find(id);
  return node != nullptr ? std::optional(std::move(*node)) : std::nullopt;
}

void NodeWriter::add(const StoredNode& node) {
  if (!run_.empty() && !continues(run_.back(), node, run_.size())) finish();
  StoredNode& kept = run_.emplace_back();
  kept.id = node.id;
  kept.source = node.source;
  kept.definition = node.definition;
  kept.number = node.number;
  kept.parent = node.parent;
  kept.span = node.span;
  kept.is_span = node.is_span;
  kept.has_metadata = node.has_metadata;
  kept.uid = node.uid;
  kept.content = node.content;
  if (!has_extra(node)) return;

  const std::string metadata = write_metadata(node.metadata);
  Statement& extra = database_.statement("INSERT OR REPLACE INTO node_extra(id, text, metadata) VALUES(?1, ?2, ?3)");
  extra.bind_integer(1, static_cast<std::int64_t>(node.id));
  extra.bind_text(2, node.text);
  extra.bind_blob(3, metadata);
  extra.run();
}

void NodeWriter::finish() {
  if (run_.empty()) return;
  const std::string nodes = format_run(run_);
  Statement& insert =
      database_.statement("INSERT INTO node_run(first, source, definition, nodes) VALUES(?1, ?2, ?3, ?4)");
  insert.bind_integer(1, static_cast<std::int64_t>(run_.front().id));
  insert.bind_integer(2, run_.front().source);
  insert.bind_integer(3, run_.front().definition);
  insert.bind_blob(4, nodes);
  insert.run();
  run_.clear();
}

void erase_nodes(Database& database, std::span<const NodeId> nodes) {
  Statement& erase = database.statement("DELETE FROM node_run WHERE first BETWEEN ?1 AND ?2");
  for (std::size_t begin = 0; begin < nodes.size();) {
    std::size_t end = begin + 1;
    while (end < nodes.size() && nodes[end] == nodes[end - 1] + 1) ++end;
    erase.bind_integer(1, static_cast<std::int64_t>(nodes[begin]));
    erase.bind_integer(2, static_cast<std::int64_t>(nodes[end - 1]));
    erase.run();
    begin = end;
  }
}

void erase_extra(Database& database, const StoredNode& node) {
  if (!has_extra(node)) return;
  Statement& erase = database.statement("DELETE FROM node_extra WHERE id = ?1");
  erase.bind_integer(1, static_cast<std::int64_t>(node.id));
  erase.run();
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

}  // namespace ragstone::sqlite
