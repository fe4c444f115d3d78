#pragma once

#include <ragstone/base/node.hpp>
#include <ragstone/reader/chunker.hpp>

#include <memory>
#include <string>
#include <type_traits>

namespace ragstone {

/// Built-in groups: sentences packed to at most so many tokens, with an overlap, straight from the root.
inline constexpr char kCoarseChunk[] = "CoarseChunk";  ///< 1024 tokens, 100 overlap.
inline constexpr char kMediumChunk[] = "MediumChunk";  ///< 256 tokens, 25 overlap.
inline constexpr char kFineChunk[] = "FineChunk";      ///< 128 tokens, 12 overlap.

/// All nodes that one transform makes from the nodes of a parent group.
class NodeGroup {
 public:
  NodeGroup() = default;
  NodeGroup(std::string group_name, std::shared_ptr<const Chunker> group_chunker, std::string parent_group = kRootGroup)
      : name(std::move(group_name)), parent(std::move(parent_group)), chunker(std::move(group_chunker)) {}

  std::string name;    ///< 1 to 255 bytes of valid UTF-8 without control characters; case counts.
  std::string parent;  ///< A group that the Document knows.
  std::shared_ptr<const Chunker> chunker;
};

static_assert(!std::is_aggregate_v<NodeGroup>);

}  // namespace ragstone
