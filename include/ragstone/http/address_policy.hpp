#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

namespace ragstone {

/// An IP address; IPv4 in its IPv6-mapped form (::ffff:a.b.c.d).
using IpAddress = std::array<std::uint8_t, 16>;

/// "192.0.2.1" or "2001:db8::1", without brackets or zone. None for anything else; the odd spellings of inet_aton()
/// ("0x7f.1") are not addresses here.
std::optional<IpAddress> parse_ip(std::string_view text) noexcept;

/// What an address is for (IANA's special-purpose registries).
enum class AddressClass {
  global,      ///< Anything on the public internet.
  loopback,    ///< 127.0.0.0/8, ::1
  local,       ///< A site's own: 10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7
  link_local,  ///< 169.254/16, fe80::/10; the clouds' metadata services, wherever they are
  reserved,    ///< Unspecified, multicast, broadcast, documentation, benchmarks, future use.
};

/// The class of an address. IPv4 inside IPv6 (mapped, compatible, NAT64, 6to4) counts as that IPv4 address; Teredo is
/// reserved.
AddressClass classify(const IpAddress& address) noexcept;
const char* name_of(AddressClass kind) noexcept;

/// Which addresses a client may connect to. It is asked for the address of the connection itself, so no name, redirect
/// or DNS answer gets around it.
class AddressPolicy {
 public:
  /// Public addresses only: for URLs that come from outside.
  AddressPolicy() = default;
  /// Loopback and site-local addresses, too: for a server that the program's owner named. Link-local and reserved ones
  /// stay refused.
  static AddressPolicy with_local() noexcept {
    AddressPolicy policy;
    policy.local_ = true;
    return policy;
  }

  bool allows(const IpAddress& address) const noexcept;
  bool allows_local() const noexcept { return local_; }

 private:
  bool local_ = false;
};

static_assert(!std::is_aggregate_v<AddressPolicy>);

}  // namespace ragstone
