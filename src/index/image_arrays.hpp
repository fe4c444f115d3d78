#pragma once

#include <ragstone/base/ids.hpp>
#include <ragstone/index/index_image.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

/// Sections of saved indexes as arrays.
namespace ragstone::detail {

/// Errors: Errc::corrupt_store if its elements have another size.
template <class T>
std::span<const T> image_array(const IndexImage& image, std::uint32_t section) {
  const std::string_view bytes = image.section(section, sizeof(T));
  return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
}

template <class T>
void write_array(IndexOutput& output, std::uint32_t section, std::span<const T> values) {
  output.write(section, sizeof(T), {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
}

/// A section of node ids, of 4 bytes each where all of them fit.
class ImageNodes {
 public:
  ImageNodes() = default;
  /// Errors: as image_array()'s.
  ImageNodes(const IndexImage& image, std::uint32_t section);

  std::size_t size() const noexcept { return narrow_.size() + wide_.size(); }
  NodeId operator[](std::size_t at) const noexcept { return wide_.empty() ? narrow_[at] : wide_[at]; }
  /// Has the processor fetch an id that is needed soon.
  void prefetch(std::size_t at) const noexcept {
    __builtin_prefetch(wide_.empty() ? static_cast<const void*>(&narrow_[at]) : &wide_[at]);
  }

 private:
  std::span<const std::uint32_t> narrow_;
  std::span<const std::uint64_t> wide_;
};

void write_nodes(IndexOutput& output, std::uint32_t section, const std::vector<NodeId>& nodes);

}  // namespace ragstone::detail
