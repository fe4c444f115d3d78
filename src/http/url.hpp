#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ragstone::detail {

/// An absolute http or https URL, as libcurl reads it.
class Url {
 public:
  /// Errors: Errc::invalid_argument for anything else, and for one with a user or password.
  static Url parse(const std::string& text);
  /// What a Location header means on this page; not checked further than by parse().
  Url resolve(const std::string& location) const;

  const std::string& text() const noexcept { return text_; }
  /// Scheme, host and port.
  const std::string& origin() const noexcept { return origin_; }
  /// Lower case; an IPv6 address without its brackets.
  const std::string& host() const noexcept { return host_; }
  std::uint16_t port() const noexcept { return port_; }
  bool is_https() const noexcept { return origin_.starts_with("https:"); }

 private:
  std::string text_;
  std::string origin_;
  std::string host_;
  std::uint16_t port_ = 0;
};

/// For messages: a query may hold a key.
std::string without_query(std::string_view url);

}  // namespace ragstone::detail
