// S1: server-side request forgery. Names resolve to what the tests say (ScriptedNames).

#include "support/errors.hpp"
#include "support/http/scripted_names.hpp"
#include "support/http/scripted_server.hpp"
#include <ragstone/async/runtime.hpp>
#include <ragstone/http/http_client.hpp>

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

using test::error_of;
using test::ScriptedNames;
using test::ScriptedServer;
using test::ServerReply;
using test::ServerRequest;

class ForbiddenAddresses : public testing::Test {
 protected:
  HttpRequest get(const std::string& host) const {
    HttpRequest request;
    request.url = "http://" + host + ":" + std::to_string(server.port()) + "/";
    return request;
  }
  static HttpOptions local() {
    HttpOptions options;
    options.addresses = AddressPolicy::with_local();
    return options;
  }

  ScriptedNames names;
  ScriptedServer server{[](const ServerRequest&) { return ServerReply::text(200, "secret", "Connection: close\r\n"); }};
  Runtime runtime;
};

// S1
TEST_F(ForbiddenAddresses, AreRefusedInEachSpelling) {
  const std::vector<std::string> hosts = {
      // loopback by numbers
      "127.0.0.1", "127.0.0.2", "127.255.255.254", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7F.0.0.1",
      "0x7f.1", "017700000001", "0177.0.0.1", "0177.0.0.01", "127.0.0.1.", "%31%32%37.0.0.1", "0", "0.0.0.0", "0x0",
      "00",
      // and in IPv6
      "[::1]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
      "[0:0:0:0:0:ffff:127.0.0.1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[2002:7f00:1::]", "[fe80::1]",
      "[fe80::1%25lo]", "[fec0::1]", "[fd00::1]", "[fc00::1]", "[ff02::1]", "[2001:db8::1]",
      // sites
      "10.0.0.1", "10.255.255.255", "0xa000001", "167772161", "012.1", "172.16.0.1", "172.31.255.255", "192.168.0.1",
      "192.168.257", "3232235777", "100.64.0.1", "198.18.0.1",
      // the clouds' metadata services
      "169.254.169.254", "0xa9fea9fe", "2852039166", "0251.0376.0251.0376", "169.254.43518", "[::ffff:169.254.169.254]",
      "[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]", "[fd00:ec2::254]", "[fd20:ce::254]", "100.100.100.200",
      "168.63.129.16", "192.0.0.192",
      // others
      "224.0.0.1", "239.255.255.250", "255.255.255.255", "240.0.0.1", "192.0.2.1",
      // names
      "localhost", "LOCALHOST", "sub.localhost"};
  EXPECT_GE(hosts.size(), 60u);
  for (const char* name : {"sub.localhost", "127.0.0.1."}) names.set(name, "127.0.0.1");
  const HttpClient client(runtime);
  for (const std::string& host : hosts) {
    const Error error = error_of([&] { runtime.run(client.fetch(get(host))); });
    // What is no URL at all for libcurl is as good as refused.
    EXPECT_TRUE(error.errc() == Errc::rejected || error.errc() == Errc::invalid_argument)
        << host << ": " << error.what();
  }
  EXPECT_EQ(server.connections(), 0u);
}

// S1
TEST_F(ForbiddenAddresses, AreRefusedBehindNames) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> answers = {
      {"localtest.example", {"127.0.0.1"}},
      {"127.0.0.1.nip.example", {"127.0.0.1"}},
      {"site.example", {"10.1.2.3"}},
      {"metadata.example", {"169.254.169.254"}},
      {"alibaba.example", {"100.100.100.200"}},
      {"mapped.example", {"::ffff:127.0.0.1"}},
      {"nat64.example", {"64:ff9b::a9fe:a9fe"}},
      {"any.example", {"0.0.0.0"}},
      {"six.example", {"::1"}},
      {"several.example", {"10.0.0.1", "192.168.0.1", "::1", "127.0.0.1"}},
  };
  const HttpClient client(runtime);
  for (const auto& [name, addresses] : answers) {
    names.set_answers(name, {addresses});
    const Error error = error_of([&, host = name] { runtime.run(client.fetch(get(host))); });
    EXPECT_EQ(error.errc(), Errc::rejected) << name << ": " << error.what();
    EXPECT_GE(names.lookups(name), 1u);
  }
  EXPECT_EQ(server.connections(), 0u);
}

// S1
TEST_F(ForbiddenAddresses, OfSeveralAddressesOnlyThoseThatAreAllowedAreTried) {
  names.set_answers("models.example", {{"169.254.169.254", "fe80::1", "127.0.0.1"}});
  const HttpClient client(runtime, local());
  EXPECT_EQ(runtime.run(client.fetch(get("models.example"))).body, "secret");
  EXPECT_EQ(server.connections(), 1u);
}

// S1: rebinding: the name was good when it was looked up first.
TEST_F(ForbiddenAddresses, AreRefusedWhenANameChangesItsMind) {
  names.set_answers("models.example", {{"127.0.0.1"}, {"169.254.169.254"}});
  EXPECT_EQ(runtime.run(HttpClient(runtime, local()).fetch(get("models.example"))).body, "secret");
  const HttpClient second(runtime, local());
  for (int i = 0; i < 2; ++i) {
    const Error error = error_of([&] { runtime.run(second.fetch(get("models.example"))); });
    EXPECT_EQ(error.errc(), Errc::rejected) << error.what();
  }
  EXPECT_EQ(server.connections(), 1u);
}

// S1, N4
TEST_F(ForbiddenAddresses, AreRefusedBehindARedirectToAName) {
  names.set("models.example", "127.0.0.1");
  names.set("metadata.example", "169.254.169.254");
  ScriptedServer redirects([](const ServerRequest&) {
    return ServerReply::text(302, "", "Location: http://metadata.example/latest/meta-data/\r\n");
  });
  HttpRequest request;
  request.url = "http://models.example:" + std::to_string(redirects.port()) + "/";
  const HttpClient client(runtime, local());
  EXPECT_EQ(error_of([&] { runtime.run(client.fetch(request)); }).errc(), Errc::rejected);
  EXPECT_EQ(names.lookups("metadata.example"), 1u);
}

TEST_F(ForbiddenAddresses, ANameThatThereIsNotIsAnErrorThatMayPass) {
  const HttpClient client(runtime, local());
  EXPECT_EQ(error_of([&] { runtime.run(client.fetch(get("nowhere.example"))); }).errc(), Errc::transient);
}

}  // namespace
}  // namespace ragstone
