#pragma once

#include <ragstone/base/ids.hpp>
#include <ragstone/base/metadata.hpp>
#include <ragstone/base/span.hpp>

#include <cstdint>
#include <string>

namespace ragstone {

/// The group that every Document has: one node per source, spanning its whole text; the parent of all other groups
/// that name no parent.
inline constexpr char kRootGroup[] = "root";

/// A piece of a source, as read from a store.
class Node {
 public:
  Node() = default;

  NodeId id = 0;
  Uid uid;
  std::string source;        ///< The source's id.
  std::string group;         ///< The node group.
  std::uint32_t number = 0;  ///< Position in (source, group), from 0, in the order of the transform's output.
  NodeId parent = 0;         ///< The node of the parent group that this one was made from; 0 for the root group.
  Span span;                 ///< Bytes in the source's text; for a node with text of its own, its parent's span.
  bool is_span = true;       ///< False if `text` is not a piece of the source (a summary, say).
  std::string text;          ///< If is_span: exactly the bytes of `span`.
  Metadata metadata;         ///< The node's own values over those of its source.
};

}  // namespace ragstone
