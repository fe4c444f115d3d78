#include "store/coding.hpp"

#include <ragstone/base/error.hpp>

#include <optional>

namespace ragstone {

std::uint64_t ByteReader::varint() {
  const std::optional<std::uint64_t> value = detail::read_varint(bytes_, at_);
  if (!value) fail();
  return *value;
}

std::uint64_t ByteReader::varint(std::uint64_t limit) {
  const std::uint64_t value = varint();
  if (value > limit) fail();
  return value;
}

std::int64_t ByteReader::zigzag() {
  const std::uint64_t value = varint();
  return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
}

std::string_view ByteReader::string() { return take(varint(bytes_.size())); }

std::string_view ByteReader::take(std::size_t size) {
  if (size > bytes_.size() - at_) fail();
  at_ += size;
  return bytes_.substr(at_ - size, size);
}

std::size_t ByteReader::count(std::size_t item_bytes) { return varint((bytes_.size() - at_) / item_bytes); }

void ByteReader::expect_end() const {
  if (!at_end()) fail();
}

void ByteReader::fail() const {
  throw Error(Errc::corrupt_store, std::string(what_) +
                                       ": the stored bytes are damaged; verify the store, then "
                                       "recover it");
}

}  // namespace ragstone
