#include "http/proxy_choice.hpp"
#include "support/errors.hpp"
#include "support/http/certificates.hpp"
#include "support/http/requests.hpp"
#include "support/http/tunnel_proxy.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/async/runtime.hpp>
#include <ragstone/http/http_client.hpp>

#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

using test::CertificateAuthority;
using test::error_of;
using test::get;
using test::ScriptedServer;
using test::ServerReply;
using test::ServerRequest;
using test::TunnelProxy;

TEST(Proxy, IsAskedForTheWholeUrlOverPlainHttp) {
  ServerRequest seen;
  ScriptedServer proxy([&](const ServerRequest& request) {
    seen = request;
    return ServerReply::text(200, "from the proxy");
  });
  Runtime runtime;
  HttpOptions options;
  options.proxy = proxy.url();
  const HttpClient client(runtime, options);
  EXPECT_EQ(runtime.run(client.fetch(get("http://models.example/v1?q=1"))).body, "from the proxy");
  EXPECT_EQ(seen.target, "http://models.example/v1?q=1");
  EXPECT_EQ(seen.header("host"), "models.example");
}

// S1: the address of the connection is the proxy's; what a URL spells out is refused all the same.
TEST(Proxy, ReachesNoAddressThatIsNotPublic) {
  std::string location;
  ScriptedServer proxy(
      [&](const ServerRequest&) { return ServerReply::text(302, "", "Location: " + location + "\r\n"); });
  Runtime runtime;
  HttpOptions options;
  options.proxy = proxy.url();
  const HttpClient client(runtime, options);
  for (const char* url :
       {"http://127.0.0.1/", "http://0x7f.1/", "http://2130706433/", "http://[::1]/", "http://169.254.169.254/",
        "http://100.100.100.200/", "https://10.0.0.1/", "http://[::ffff:10.0.0.1]/", "http://127.0.0.1./"})
    EXPECT_EQ(error_of([&] { runtime.run(client.fetch(get(url))); }).errc(), Errc::rejected) << url;
  EXPECT_EQ(proxy.requests(), 0u);
  location = "http://169.254.169.254/latest/meta-data/";
  EXPECT_EQ(error_of([&] { runtime.run(client.fetch(get("http://models.example/"))); }).errc(), Errc::rejected);
  EXPECT_EQ(proxy.requests(), 1u);
}

/// Sets a variable of the environment for a while.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) { ::setenv(name, value.c_str(), 1); }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

// S1: what the environment's proxy is not asked for is checked like any other connection.
TEST(Proxy, OfTheEnvironmentOpensNoWayPastIt) {
  ScriptedServer server([](const ServerRequest&) { return ServerReply::text(200, "private"); });
  ScriptedServer proxy([](const ServerRequest&) { return ServerReply::text(200, "from the proxy"); });
  const std::string url = "http://localhost" + server.url().substr(server.url().rfind(':')) + "/";
  Runtime runtime;
  HttpOptions options;
  options.proxy_from_environment = true;
  const HttpClient client(runtime, options);
  const auto refused = [&] { return error_of([&] { runtime.run(client.fetch(get(url))); }).errc() == Errc::rejected; };
  EXPECT_TRUE(refused()) << "no variable is set";
  const Variable none("https_proxy", proxy.url());
  EXPECT_TRUE(refused()) << "the variable is for https";
  const Variable set("http_proxy", proxy.url());
  EXPECT_EQ(runtime.run(client.fetch(get(url))).body, "from the proxy");
  const Variable exempt("no_proxy", "example.org, LOCALHOST");
  EXPECT_TRUE(refused()) << "no_proxy has the host";
  EXPECT_EQ(server.requests(), 0u);
}

TEST(Proxy, IsNotAskedForWhatNoProxyLists) {
  using detail::is_exempt;
  EXPECT_TRUE(is_exempt("*", "models.example"));
  EXPECT_TRUE(is_exempt("a.example,models.example", "models.example"));
  EXPECT_TRUE(is_exempt(" .Example ", "models.example"));
  EXPECT_TRUE(is_exempt("[::1]", "::1"));
  EXPECT_TRUE(is_exempt("10.0.0.1", "10.0.0.1"));
  EXPECT_FALSE(is_exempt("dels.example", "models.example"));
  EXPECT_FALSE(is_exempt("models.example", "example"));
  EXPECT_FALSE(is_exempt(", ,", "models.example"));
  EXPECT_FALSE(is_exempt("", "models.example"));
}

class Tunnel : public testing::Test {
 protected:
  void SetUp() override {
    if (!CertificateAuthority::available()) GTEST_SKIP() << "there is no openssl command";
  }
  HttpOptions options(const CertificateAuthority& authority, const TunnelProxy& proxy) const {
    HttpOptions options;
    options.addresses = AddressPolicy::with_local();
    options.ca_file = authority.file().string();
    options.proxy = proxy.url();
    return options;
  }

  test::TemporaryFolder folder_;
  Runtime runtime_;
};

// S9
TEST_F(Tunnel, AProxySeesNothingOfWhatGoesOverTls) {
  const CertificateAuthority authority(folder_.path());
  ServerRequest seen;
  ScriptedServer server(
      [&](const ServerRequest& request) {
        seen = request;
        return ServerReply::text(200, "private");
      },
      authority.issue("good", "IP:127.0.0.1"));
  TunnelProxy proxy;
  const HttpClient client(runtime_, options(authority, proxy));
  HttpRequest request = get(server.url("/secret-path"));
  request.bearer = Secret("canary");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(runtime_.run(client.fetch(request)).body, "private");
  EXPECT_EQ(seen.header("authorization"), "Bearer canary");
  ASSERT_EQ(proxy.requests().size(), 1u) << "the tunnel is used again";
  const std::string head = proxy.requests()[0];
  EXPECT_TRUE(head.starts_with("CONNECT 127.0.0.1:" + std::to_string(server.port()))) << head;
  EXPECT_EQ(head.find("canary"), head.npos);
  EXPECT_EQ(head.find("secret-path"), head.npos);
}

// N6
TEST_F(Tunnel, TheServersCertificateIsVerifiedThroughAProxyToo) {
  const CertificateAuthority authority(folder_.path());
  ScriptedServer server([](const ServerRequest&) { return ServerReply::text(200, "private"); },
                        authority.self_signed("self", "IP:127.0.0.1"));
  TunnelProxy proxy;
  const HttpClient client(runtime_, options(authority, proxy));
  EXPECT_EQ(error_of([&] { runtime_.run(client.fetch(get(server.url("/")))); }).errc(), Errc::rejected);
  EXPECT_EQ(server.requests(), 0u);
}

TEST_F(Tunnel, AProxyThatRefusesIsNamedWithItsStatus) {
  const CertificateAuthority authority(folder_.path());
  for (const auto& [status, code] :
       {std::pair(407, Errc::rejected), std::pair(403, Errc::rejected), std::pair(502, Errc::transient)}) {
    TunnelProxy proxy(status);
    const HttpClient client(runtime_, options(authority, proxy));
    const Error error = error_of([&] { runtime_.run(client.fetch(get("https://127.0.0.1:1/"))); });
    EXPECT_EQ(error.errc(), code) << error.what();
    EXPECT_NE(std::string(error.what()).find(std::to_string(status)), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace ragstone
