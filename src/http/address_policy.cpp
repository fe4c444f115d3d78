#include <ragstone/http/address_policy.hpp>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <span>
#include <string>

#include <arpa/inet.h>

namespace ragstone {
namespace {

struct Range {
  std::uint32_t first;
  int bits;
  AddressClass kind;
};

constexpr std::uint32_t v4(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}

// IANA IPv4 Special-Purpose Address Registry, and multicast.
constexpr Range kRanges[] = {
    {v4(0, 0, 0, 0), 8, AddressClass::reserved},        {v4(10, 0, 0, 0), 8, AddressClass::local},
    {v4(100, 64, 0, 0), 10, AddressClass::local},       {v4(127, 0, 0, 0), 8, AddressClass::loopback},
    {v4(169, 254, 0, 0), 16, AddressClass::link_local}, {v4(172, 16, 0, 0), 12, AddressClass::local},
    {v4(192, 0, 0, 0), 24, AddressClass::reserved},     {v4(192, 0, 2, 0), 24, AddressClass::reserved},
    {v4(192, 88, 99, 0), 24, AddressClass::reserved},   {v4(192, 168, 0, 0), 16, AddressClass::local},
    {v4(198, 18, 0, 0), 15, AddressClass::reserved},    {v4(198, 51, 100, 0), 24, AddressClass::reserved},
    {v4(203, 0, 113, 0), 24, AddressClass::reserved},   {v4(224, 0, 0, 0), 3, AddressClass::reserved},
};

// Metadata services outside of the link-local range: Alibaba Cloud's, and Azure's wire server.
constexpr std::uint32_t kMetadataServices[] = {v4(100, 100, 100, 200), v4(168, 63, 129, 16)};

AddressClass classify_v4(std::span<const std::uint8_t> bytes) noexcept {
  const std::uint32_t address = v4(bytes[0], bytes[1], bytes[2], bytes[3]);
  if (std::ranges::find(kMetadataServices, address) != std::end(kMetadataServices)) return AddressClass::link_local;
  for (const Range& range : kRanges)
    if ((address ^ range.first) >> (32 - range.bits) == 0) return range.kind;
  return AddressClass::global;
}

bool starts_with(const IpAddress& address, std::initializer_list<int> prefix) noexcept {
  return std::equal(prefix.begin(), prefix.end(), address.begin());
}

}  // namespace

std::optional<IpAddress> parse_ip(std::string_view text) noexcept {
  char buffer[INET6_ADDRSTRLEN + 1];
  if (text.size() >= sizeof buffer || text.find('\0') != text.npos) return std::nullopt;
  buffer[text.copy(buffer, sizeof buffer - 1)] = '\0';
  IpAddress address{};
  if (inet_pton(AF_INET6, buffer, address.data()) == 1) return address;
  address = {};
  address[10] = address[11] = 0xFF;
  if (inet_pton(AF_INET, buffer, address.data() + 12) == 1) return address;
  return std::nullopt;
}

AddressClass classify(const IpAddress& a) noexcept {
  const std::span<const std::uint8_t> bytes(a);
  if (starts_with(a, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF})) return classify_v4(bytes.subspan(12));
  if (starts_with(a, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})) {
    if (a == IpAddress{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}) return AddressClass::loopback;
    return classify_v4(bytes.subspan(12));  // IPv4-compatible; the unspecified address is 0.0.0.0
  }
  if (starts_with(a, {0x00, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0})) return classify_v4(bytes.subspan(12));
  if (starts_with(a, {0x20, 0x02})) return classify_v4(bytes.subspan(2));
  // Metadata services inside the range for sites: Amazon's fd00:ec2::254, Google's fd20:ce::254.
  if (starts_with(a, {0xFD, 0x00, 0x0E, 0xC2}) || starts_with(a, {0xFD, 0x20, 0x00, 0xCE}))
    return AddressClass::link_local;
  if ((a[0] & 0xFE) == 0xFC) return AddressClass::local;
  if (a[0] == 0xFE && (a[1] & 0xC0) == 0x80) return AddressClass::link_local;
  if (a[0] == 0xFE && (a[1] & 0xC0) == 0xC0) return AddressClass::local;  // once site-local
  if (starts_with(a, {0x20, 0x01, 0x0D, 0xB8})) return AddressClass::reserved;
  if (starts_with(a, {0x20, 0x01}) && a[2] < 2) return AddressClass::reserved;  // protocol assignments, Teredo
  return (a[0] & 0xE0) == 0x20 ? AddressClass::global : AddressClass::reserved;
}

const char* name_of(AddressClass kind) noexcept {
  switch (kind) {
    case AddressClass::global:
      return "global";
    case AddressClass::loopback:
      return "loopback";
    case AddressClass::local:
      return "local";
    case AddressClass::link_local:
      return "link-local";
    case AddressClass::reserved:
      return "reserved";
  }
  return "unknown";
}

bool AddressPolicy::allows(const IpAddress& address) const noexcept {
  switch (classify(address)) {
    case AddressClass::global:
      return true;
    case AddressClass::loopback:
    case AddressClass::local:
      return local_;
    case AddressClass::link_local:
    case AddressClass::reserved:
      return false;
  }
  return false;
}

}  // namespace ragstone
