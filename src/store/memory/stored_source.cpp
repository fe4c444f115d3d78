#include "store/memory/stored_source.hpp"

#include "store/overlay.hpp"

namespace ragstone::memory {

const StoredGroup* StoredSource::find(std::string_view group) const noexcept {
  for (const auto& candidate : groups)
    if (candidate->nodes->definition->group == group) return candidate.get();
  return nullptr;
}

const ColumnDefinition* find_column(const StoredGroup& group, std::string_view key) noexcept {
  for (const auto& definition : group.columns)
    if (definition->key == key) return definition.get();
  return nullptr;
}

Node to_node(const StoredRows& nodes, std::size_t number, bool with_text) {
  const StoredRow& row = nodes.rows[number];
  Node node;
  node.id = row.id;
  node.uid = row.uid;
  node.source = nodes.source->id;
  node.group = nodes.definition->group;
  node.number = static_cast<std::uint32_t>(number);
  node.parent = row.parent;
  node.span = row.span;
  node.is_span = row.is_span;
  if (with_text) node.text = row.is_span ? std::string(row.span.of(nodes.source->text)) : row.text;
  node.metadata = overlay(row.metadata, nodes.source->metadata);
  return node;
}

}  // namespace ragstone::memory
