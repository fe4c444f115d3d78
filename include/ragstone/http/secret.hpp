#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <type_traits>
#include <utility>

namespace ragstone {

/// A key or password. It prints as "[secret]"; only reveal() gives it away, and only what puts it on the wire calls
/// that.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}

  bool empty() const noexcept { return value_.empty(); }
  const std::string& reveal() const noexcept { return value_; }

 private:
  std::string value_;
};

std::ostream& operator<<(std::ostream& out, const Secret& secret);

/// Where a key comes from. It is asked for at each request, so that a key may change while a program runs.
class KeySource {
 public:
  using Function = std::function<Secret()>;

  /// No key: requests carry no Authorization header.
  KeySource() = default;
  /// Called on the executor of the request, from any number at once; must be quick. What it throws ends the request.
  explicit KeySource(Function function) : function_(std::move(function)) {}

  /// The environment variable `name`, read now. Errors: Errc::not_found if it is not set, or empty.
  static KeySource environment(const std::string& name);
  static KeySource fixed(Secret secret);

  explicit operator bool() const noexcept { return static_cast<bool>(function_); }
  Secret get() const { return function_ ? function_() : Secret(); }

 private:
  Function function_;
};

static_assert(!std::is_aggregate_v<Secret> && !std::is_aggregate_v<KeySource>);

}  // namespace ragstone
