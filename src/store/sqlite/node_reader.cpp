#include "store/sqlite/node_reader.hpp"

#include "store/overlay.hpp"
#include "store/sqlite/blobs.hpp"
#include "store/sqlite/source_rows.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace ragstone::sqlite {
namespace {

std::shared_ptr<const NodeSource> read_node_source(Database& database, std::int64_t number) {
  Statement& read = database.statement(
      "SELECT id, metadata, text_block, text_offset, text_bytes, length(offset_map) FROM source WHERE number = ?1");
  const Rows guard(read);
  read.bind_integer(1, number);
  if (!read.step())
    throw Error(Errc::corrupt_store, "store: a node names source number " + std::to_string(number) +
                                         ", which does not exist; verify the store, then recover it");
  auto source = std::make_shared<NodeSource>();
  source->number = number;
  source->id = read.text(0);
  source->metadata = read_metadata(read.blob(1));
  source->text = {read.integer(2), static_cast<std::uint64_t>(read.integer(3)),
                  static_cast<std::uint64_t>(read.integer(4))};
  source->has_offset_map = read.integer(5) > 0;
  return source;
}

}  // namespace

std::vector<Node> NodeReader::read() && {
  if (query_.ids) {
    read_ids();
  } else if (query_.source) {
    if (const FreshSource* fresh = fresh_.find(*query_.source)) {
      read_fresh(*fresh);
    } else if (const std::optional<SourceRow> source = find_source(database_, *query_.source)) {
      read_source(source->number);
    }
  } else if (query_.parent) {
    if (const StoredNode* fresh = fresh_.find_node(*query_.parent)) {
      read_fresh(*fresh_.find(fresh->source));
    } else if (const std::optional<StoredNode> parent = find_node(database_, *query_.parent)) {
      read_source(parent->source);
    }
  } else {
    read_group();
  }
  return std::move(found_);
}

void NodeReader::read_ids() {
  NodeFinder nodes(database_);
  for (const NodeId id : *query_.ids) {
    poll_.spend(5000);
    const StoredNode* node = fresh_.find_node(id);
    if (node == nullptr) node = nodes.find(id);
    if (node != nullptr && (query_.group.empty() || in_group(*node)) && !take(*node)) return;
  }
}

void NodeReader::read_source(std::int64_t number) {
  for (SourceGroup& group : read_groups(database_, number, catalog_.next_node)) {
    if (catalog_.group(group.definition).name != query_.group) continue;
    std::sort(group.nodes.begin(), group.nodes.end());
    NodeFinder nodes(database_);
    for (const NodeId id : group.nodes) {
      poll_.spend(500);
      const StoredNode* node = nodes.find(id);
      if (node != nullptr && !take(*node)) return;
    }
  }
}

void NodeReader::read_fresh(const FreshSource& source) {
  for (const StoredNode& node : source.nodes) {
    poll_.spend(500);
    if (in_group(node) && !take(node)) return;
  }
}

template <class Visit>
void NodeReader::visit_group(Visit visit) {
  static const std::string sql =
      std::string("SELECT ") + kNodeRunColumns +
      " FROM node_run WHERE first >= coalesce((SELECT max(first) FROM node_run WHERE first <= ?1), 0) ORDER BY first";
  const auto& groups = catalog_.groups();
  const bool exists =
      std::any_of(groups.begin(), groups.end(), [&](const auto& item) { return item.second.name == query_.group; });
  if (!exists) return;
  Statement& read = database_.statement(sql);
  const Rows guard(read);
  read.bind_integer(1, static_cast<std::int64_t>(std::min<NodeId>(query_.after, INT64_MAX)));
  while (read.step()) {
    poll_.spend(1000);
    if (fresh_.holds(read.integer(1))) break;
    if (catalog_.group(read.integer(2)).name != query_.group) continue;
    for (StoredNode& node : read_node_run(read))
      if (!visit(std::move(node))) return;
  }
  for (const FreshSources::Pointer& source : fresh_.all())
    for (const StoredNode& node : source->nodes) {
      poll_.spend(500);
      if (in_group(node) && !visit(node)) return;
    }
}

void NodeReader::read_group() {
  visit_group([&](StoredNode node) { return take(std::move(node)); });
}

NodeSources NodeReader::read_sources() && {
  NodeSources all;
  visit_group([&](const StoredNode& node) {
    poll_.spend(100);
    all.nodes.push_back(node.id);
    all.sources.push_back(static_cast<segment::SourceNumber>(node.source));
    return true;
  });
  return all;
}

bool NodeReader::take(StoredNode node) {
  if (node.id <= query_.after || (query_.parent && node.parent != *query_.parent)) return true;
  const std::shared_ptr<const NodeSource> from = source(node.source);
  if (query_.source && from->id != *query_.source) return true;
  poll_.spend(2000);
  if (!fresh_.holds(node.source)) read_extra(database_, node);
  if (!query_.filter.empty() && !query_.filter.matches(OverlayFields(node.metadata, from->metadata))) return true;
  found_.push_back(to_node(node, *from));
  return found_.size() < query_.limit;
}

bool NodeReader::in_group(const StoredNode& node) const { return catalog_.group(node.definition).name == query_.group; }

std::shared_ptr<const NodeSource> NodeReader::source(std::int64_t number) {
  std::shared_ptr<const NodeSource>& place = sources_[number];
  if (!place) place = caches_.sources.find(number);
  if (place) return place;
  if (const FreshSource* fresh = fresh_.find(number)) {
    auto source = std::make_shared<NodeSource>();
    source->number = number;
    source->id = fresh->row.record.id;
    source->metadata = fresh->row.record.metadata;
    source->has_offset_map = !fresh->row.record.offset_map.empty();
    return place = std::move(source);
  }
  place = read_node_source(database_, number);
  caches_.sources.add(number, place);
  return place;
}

std::string NodeReader::span_text(const StoredNode& node, const NodeSource& from) {
  try {
    return read_text(database_, from.text, node.span, &caches_.blocks);
  } catch (const Error& error) {
    if (error.errc() != Errc::corrupt_store) throw;
    // Texts move without a new generation: another reader of the snapshot may have remembered another place.
    std::shared_ptr<const NodeSource> here = read_node_source(database_, node.source);
    if (here->text == from.text) throw;
    std::string text = read_text(database_, here->text, node.span, &caches_.blocks);
    caches_.sources.add(node.source, here);
    sources_[node.source] = std::move(here);
    return text;
  }
}

Node NodeReader::to_node(StoredNode& stored, const NodeSource& from) {
  Node node;
  node.id = stored.id;
  node.uid = stored.uid;
  node.source = from.id;
  node.group = catalog_.group(stored.definition).name;
  node.number = stored.number;
  node.parent = stored.parent;
  node.span = stored.span;
  node.is_span = stored.is_span;
  if (query_.with_text) {
    if (!stored.is_span) {
      node.text = std::move(stored.text);
    } else if (const FreshSource* fresh = fresh_.find(stored.source)) {
      node.text = fresh->text.substr(stored.span.begin, stored.span.size());
    } else {
      node.text = span_text(stored, from);
    }
  }
  node.metadata = overlay(stored.metadata, from.metadata);
  return node;
}

}  // namespace ragstone::sqlite
