#include <ragstone/http/address_policy.hpp>

#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

AddressClass class_of(const char* text) {
  const auto address = parse_ip(text);
  EXPECT_TRUE(address) << text;
  return address ? classify(*address) : AddressClass::global;
}

// S1
TEST(AddressPolicy, KnowsWhatAddressesAreFor) {
  const std::vector<std::pair<const char*, AddressClass>> known = {
      {"8.8.8.8", AddressClass::global},
      {"9.255.255.255", AddressClass::global},
      {"11.0.0.0", AddressClass::global},
      {"172.15.255.255", AddressClass::global},
      {"172.32.0.0", AddressClass::global},
      {"2606:4700::1", AddressClass::global},
      {"127.0.0.1", AddressClass::loopback},
      {"127.255.255.255", AddressClass::loopback},
      {"::1", AddressClass::loopback},
      {"::ffff:127.0.0.1", AddressClass::loopback},
      {"::127.0.0.1", AddressClass::loopback},
      {"64:ff9b::7f00:1", AddressClass::loopback},
      {"2002:7f00:1::", AddressClass::loopback},
      {"10.0.0.1", AddressClass::local},
      {"100.64.0.1", AddressClass::local},
      {"172.16.0.1", AddressClass::local},
      {"172.31.255.255", AddressClass::local},
      {"192.168.1.1", AddressClass::local},
      {"::ffff:192.168.1.1", AddressClass::local},
      {"fd00::1", AddressClass::local},
      {"fec0::1", AddressClass::local},
      {"169.254.169.254", AddressClass::link_local},
      {"::ffff:169.254.169.254", AddressClass::link_local},
      {"100.100.100.200", AddressClass::link_local},
      {"::ffff:100.100.100.200", AddressClass::link_local},
      {"168.63.129.16", AddressClass::link_local},
      {"fd00:ec2::254", AddressClass::link_local},
      {"fd20:ce::254", AddressClass::link_local},
      {"fe80::1", AddressClass::link_local},
      {"0.0.0.0", AddressClass::reserved},
      {"::", AddressClass::reserved},
      {"192.0.2.1", AddressClass::reserved},
      {"198.18.0.1", AddressClass::reserved},
      {"203.0.113.9", AddressClass::reserved},
      {"224.0.0.1", AddressClass::reserved},
      {"255.255.255.255", AddressClass::reserved},
      {"2001::1", AddressClass::reserved},
      {"2001:db8::1", AddressClass::reserved},
      {"ff02::1", AddressClass::reserved},
  };
  for (const auto& [text, kind] : known) EXPECT_EQ(class_of(text), kind) << text;
}

TEST(AddressPolicy, AddressesHaveOneSpelling) {
  for (const char* text : {"", "0x7f.1", "127.1", "2130706433", "0177.0.0.1", "[::1]", "fe80::1%eth0", "localhost"})
    EXPECT_FALSE(parse_ip(text)) << text;
}

// S1
TEST(AddressPolicy, LocalServersAreAllowedOnRequestButNeverMetadata) {
  const AddressPolicy closed;
  const AddressPolicy local = AddressPolicy::with_local();
  for (const char* text : {"127.0.0.1", "10.1.2.3", "::1", "fd00::2"}) {
    EXPECT_FALSE(closed.allows(*parse_ip(text))) << text;
    EXPECT_TRUE(local.allows(*parse_ip(text))) << text;
  }
  for (const char* text : {"169.254.169.254", "100.100.100.200", "fd00:ec2::254", "fe80::1", "0.0.0.0", "224.0.0.1"})
    EXPECT_FALSE(local.allows(*parse_ip(text))) << text;
  EXPECT_TRUE(closed.allows(*parse_ip("1.1.1.1")));
}

}  // namespace
}  // namespace ragstone
