#include "index/image_arrays.hpp"

#include <ragstone/base/error.hpp>

#include <algorithm>

namespace ragstone::detail {

ImageNodes::ImageNodes(const IndexImage& image, std::uint32_t section) {
  // An image tells the size of its elements by refusing another one.
  try {
    narrow_ = image_array<std::uint32_t>(image, section);
  } catch (const Error&) {
    wide_ = image_array<std::uint64_t>(image, section);
  }
}

void write_nodes(IndexOutput& output, std::uint32_t section, const std::vector<NodeId>& nodes) {
  if (std::all_of(nodes.begin(), nodes.end(), [](NodeId id) { return id <= UINT32_MAX; })) {
    const std::vector<std::uint32_t> narrow(nodes.begin(), nodes.end());
    write_array(output, section, std::span<const std::uint32_t>(narrow));
  } else {
    write_array(output, section, std::span<const NodeId>(nodes));
  }
}

}  // namespace ragstone::detail
