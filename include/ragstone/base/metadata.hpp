#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace ragstone {

/// A metadata value. Lists and objects do not exist: metadata is flat.
using Scalar = std::variant<bool, std::int64_t, double, std::string>;

/// Flat metadata of a source or a node: names to scalars, kept in ascending byte order of the names, so that equal
/// metadata has one spelling everywhere.
///
/// A name is 1 to 255 bytes of valid UTF-8 without control characters; a text value is valid UTF-8; a double is finite.
/// Not thread-safe for concurrent writes; concurrent reads are safe.
class Metadata {
 public:
  using Entry = std::pair<std::string, Scalar>;

  Metadata() = default;
  Metadata(std::initializer_list<Entry> entries);

  /// Sets or replaces a value. Errors: Errc::invalid_argument for a name or value outside the rules above.
  void set(std::string name, Scalar value);
  void set(std::string name, const char* value) { set(std::move(name), Scalar(std::string(value))); }
  /// Any integer type whose values all fit std::int64_t. (A plain `int` overload would catch `bool` and `double` too.)
  template <class Integer>
  requires(std::integral<Integer> && !std::same_as<Integer, bool> &&
           (std::signed_integral<Integer> || sizeof(Integer) < sizeof(std::int64_t))) void set(std::string name,
                                                                                               Integer value) {
    set(std::move(name), Scalar(static_cast<std::int64_t>(value)));
  }
  /// Removes a value; false if there was none.
  bool erase(std::string_view name);

  /// Null if there is no such name. Valid until the next change.
  const Scalar* find(std::string_view name) const noexcept;
  /// The value if the name exists and holds text.
  std::optional<std::string> text(std::string_view name) const;

  bool empty() const noexcept { return entries_.empty(); }
  std::size_t size() const noexcept { return entries_.size(); }
  auto begin() const noexcept { return entries_.begin(); }
  auto end() const noexcept { return entries_.end(); }

  friend bool operator==(const Metadata&, const Metadata&) = default;

 private:
  std::vector<Entry> entries_;
};

}  // namespace ragstone
