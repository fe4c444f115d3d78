#include "support/errors.hpp"
#include "support/http/certificates.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/async/gather.hpp>
#include <ragstone/async/runtime.hpp>
#include <ragstone/http/http_client.hpp>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

using test::CertificateAuthority;
using test::error_of;
using test::ScriptedServer;
using test::ServerReply;
using test::ServerRequest;
using test::ServerTls;

class Tls : public testing::Test {
 protected:
  void SetUp() override {
    if (!CertificateAuthority::available()) GTEST_SKIP() << "there is no openssl command";
    authority_.emplace(folder_.path());
    options_.addresses = AddressPolicy::with_local();
    options_.ca_file = authority_->file().string();
  }

  HttpResponse fetch(const std::optional<ServerTls>& tls, const std::string& host = "127.0.0.1") {
    ScriptedServer server([](const ServerRequest&) { return ServerReply::text(200, "private"); }, tls);
    HttpRequest request;
    request.url = "https://" + host + ":" + std::to_string(server.port()) + "/";
    const HttpClient client(runtime_, options_);
    auto response = runtime_.run(client.fetch(request));
    return response;
  }

  test::TemporaryFolder folder_;
  std::optional<CertificateAuthority> authority_;
  HttpOptions options_;
  Runtime runtime_;
};

TEST_F(Tls, TrustsAnAuthorityThatWasNamed) {
  EXPECT_EQ(fetch(authority_->issue("good", "DNS:localhost,IP:127.0.0.1")).body, "private");
  EXPECT_EQ(fetch(authority_->issue("good", "DNS:localhost,IP:127.0.0.1"), "localhost").body, "private");
}

TEST_F(Tls, ManyCallsAtOnceShareConnections) {
  ScriptedServer server([](const ServerRequest& request) { return ServerReply::text(200, request.body); },
                        authority_->issue("good", "IP:127.0.0.1"));
  options_.max_connections_per_host = 8;
  const HttpClient client(runtime_, options_);
  std::vector<Task<HttpResponse>> calls;
  for (int i = 0; i < 100; ++i) {
    HttpRequest request;
    request.method = "POST";
    request.url = server.url("/");
    request.body = std::to_string(i) + std::string(20'000, 'x');
    calls.push_back(client.fetch(request));
  }
  const auto responses = runtime_.run(gather(std::move(calls)));
  for (std::size_t i = 0; i < responses.size(); ++i)
    EXPECT_TRUE(responses[i].body.starts_with(std::to_string(i) + "x"));
  EXPECT_LE(server.connections(), 8u);
}

// N6
TEST_F(Tls, RefusesCertificatesThatProveNothing) {
  EXPECT_EQ(error_of([&] { fetch(authority_->issue("expired", "IP:127.0.0.1", -1)); }).errc(), Errc::rejected);
  EXPECT_EQ(error_of([&] { fetch(authority_->issue("other", "DNS:example.org")); }).errc(), Errc::rejected);
  EXPECT_EQ(error_of([&] { fetch(authority_->issue("name", "DNS:localhost")); }).errc(), Errc::rejected);
  EXPECT_EQ(error_of([&] { fetch(authority_->issue("number", "IP:127.0.0.1"), "localhost"); }).errc(), Errc::rejected);
  EXPECT_EQ(error_of([&] { fetch(authority_->self_signed("self", "IP:127.0.0.1")); }).errc(), Errc::rejected);
  const ServerTls good = authority_->issue("good", "IP:127.0.0.1");
  options_.ca_file.clear();
  EXPECT_EQ(error_of([&] { fetch(good); }).errc(), Errc::rejected) << "an authority that nobody named";
  options_.ca_file = folder_.path() / "missing.pem";
  EXPECT_EQ(error_of([&] { fetch(good); }).errc(), Errc::rejected);
}

// N6
TEST_F(Tls, TheEnvironmentChangesNothing) {
  const ServerTls good = authority_->issue("good", "IP:127.0.0.1");
  for (const char* name : {"SSL_CERT_FILE", "CURL_CA_BUNDLE"}) ::setenv(name, options_.ca_file.c_str(), 1);
  ::setenv("https_proxy", "http://127.0.0.1:1", 1);
  EXPECT_EQ(fetch(good).body, "private") << "a proxy from the environment is used on request only";
  options_.ca_file.clear();
  EXPECT_EQ(error_of([&] { fetch(good); }).errc(), Errc::rejected);
  options_.proxy_from_environment = true;
  EXPECT_EQ(error_of([&] { fetch(good); }).errc(), Errc::transient) << "nobody is at the proxy's port";
  for (const char* name : {"SSL_CERT_FILE", "CURL_CA_BUNDLE", "https_proxy"}) ::unsetenv(name);
}

// N6: read by libcurl when it is initialised, so in a process of its own.
TEST_F(Tls, NoKeysAreWrittenToTheFileThatTheEnvironmentNames) {
  const std::filesystem::path keys = folder_.path() / "keys.txt";
  const std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
  const std::string command = "SSLKEYLOGFILE='" + keys.string() + "' '" + program +
                              "' --gtest_filter=Tls.TrustsAnAuthorityThatWasNamed | grep -q 'PASSED  . 1 test'";
  ASSERT_EQ(std::system(command.c_str()), 0);
  if (std::filesystem::exists(keys)) {
    EXPECT_EQ(std::filesystem::file_size(keys), 0u);
  }
}

// N6
TEST_F(Tls, AServerThatSpeaksNoTlsIsAnError) {
  EXPECT_EQ(error_of([&] { fetch(std::nullopt); }).errc(), Errc::transient);
}

}  // namespace
}  // namespace ragstone
