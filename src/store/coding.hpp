#pragma once

#include "text/varint.hpp"
#include <ragstone/base/ids.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace ragstone {

/// Builds a byte string: integers in LEB128, strings with their length before them.
class ByteWriter {
 public:
  void varint(std::uint64_t value) { detail::append_varint(bytes_, value); }
  /// Small numbers of either sign take few bytes.
  void zigzag(std::int64_t value) {
    varint((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
  }
  void string(std::string_view value) {
    varint(value.size());
    bytes_.append(value);
  }
  void hash(const Hash128& value) { raw(value.bytes); }
  /// The bytes of a trivial value, little-endian as on every supported machine.
  template <class T>
  void raw(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void append(std::string_view bytes) { bytes_.append(bytes); }

  std::size_t size() const noexcept { return bytes_.size(); }
  std::string take() && { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Reads what ByteWriter wrote. Every function throws Errc::corrupt_store, naming `what`, where the bytes do not have
/// that form; nothing outside the bytes is read, whatever they hold.
class ByteReader {
 public:
  /// Both outlive the reader.
  ByteReader(std::string_view bytes, const char* what) : bytes_(bytes), what_(what) {}

  std::uint64_t varint();
  /// A varint of at most `limit`.
  std::uint64_t varint(std::uint64_t limit);
  std::int64_t zigzag();
  std::string_view string();
  Hash128 hash() { return raw<Hash128>(); }
  template <class T>
  T raw() {
    static_assert(std::is_trivially_copyable_v<T>);
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string_view take(std::size_t size);
  /// A number of items that each take at least `item_bytes` of what is left: safe to reserve memory for.
  std::size_t count(std::size_t item_bytes);

  bool at_end() const noexcept { return at_ == bytes_.size(); }
  /// How many bytes were read.
  std::size_t position() const noexcept { return at_; }
  /// Throws unless everything was read.
  void expect_end() const;
  [[noreturn]] void fail() const;

 private:
  std::string_view bytes_;
  const char* what_;
  std::size_t at_ = 0;
};

}  // namespace ragstone
