#pragma once

#include "store/coding.hpp"

#include <cstdint>
#include <string_view>

namespace ragstone::sqlite {

/// A checksum (XXH3) over the values of a row, in a fixed order. SQLite's pages have none, so that a bit that flipped
/// on the medium can look like good data; verify() compares.
class Digest {
 public:
  void integer(std::int64_t value) { values_.zigzag(value); }
  void text(std::string_view value) { values_.string(value); }

  std::int64_t value() &&;

 private:
  ByteWriter values_;
};

/// The checksum of a text.
std::int64_t digest_of(std::string_view text);

}  // namespace ragstone::sqlite
