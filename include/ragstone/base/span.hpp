#pragma once

#include <cstdint>
#include <string_view>

namespace ragstone {

/// A half-open range of bytes [begin, end) in a source's UTF-8 text; both ends lie between code points.
struct Span {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  constexpr std::uint64_t size() const noexcept { return end - begin; }
  constexpr bool empty() const noexcept { return begin == end; }
  constexpr bool contains(Span other) const noexcept { return begin <= other.begin && other.end <= end; }
  constexpr bool overlaps(Span other) const noexcept { return begin < other.end && other.begin < end; }
  /// The bytes of the range. Must lie inside `text`.
  constexpr std::string_view of(std::string_view text) const noexcept { return {text.data() + begin, size()}; }

  friend constexpr bool operator==(Span, Span) noexcept = default;
};

}  // namespace ragstone
