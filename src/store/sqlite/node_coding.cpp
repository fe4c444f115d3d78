#include "store/sqlite/node_coding.hpp"

namespace ragstone::sqlite {
namespace {

constexpr std::uint64_t kOwnText = 1;
constexpr std::uint64_t kOwnMetadata = 2;

}  // namespace

void write_node(ByteWriter& out, const StoredNode& node, NodePosition& position) {
  out.varint((node.is_span ? 0 : kOwnText) | (node.has_metadata ? kOwnMetadata : 0));
  out.zigzag(static_cast<std::int64_t>(node.parent - position.parent));
  out.zigzag(static_cast<std::int64_t>(node.span.begin - position.begin));
  out.varint(node.span.size());
  out.hash(node.uid);
  out.hash(node.content);
  position = {node.parent, node.span.begin};
}

void read_node(ByteReader& in, StoredNode& node, NodePosition& position) {
  const std::uint64_t flags = in.varint();
  node.is_span = (flags & kOwnText) == 0;
  node.has_metadata = (flags & kOwnMetadata) != 0;
  node.parent = position.parent + static_cast<NodeId>(in.zigzag());
  const std::uint64_t begin = position.begin + static_cast<std::uint64_t>(in.zigzag());
  const std::uint64_t size = in.varint(INT64_MAX);
  if (begin > INT64_MAX || size > INT64_MAX - begin) in.fail();
  node.span = {begin, begin + size};
  node.uid = in.hash();
  node.content = in.hash();
  position = {node.parent, node.span.begin};
}

}  // namespace ragstone::sqlite
