#include "support/errors.hpp"
#include "support/http/certificates.hpp"
#include "support/http/requests.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/async/deadline.hpp>
#include <ragstone/async/gather.hpp>
#include <ragstone/async/runtime.hpp>
#include <ragstone/http/http_client.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

using namespace std::chrono_literals;
using test::CertificateAuthority;
using test::error_of;
using test::read_all;
using test::ServerTls;

/// Node's HTTP/2 server: http2_server.mjs.
class Http2 : public testing::Test {
 protected:
  void SetUp() override {
    if (std::system("node --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "there is no node";
    if (!CertificateAuthority::available()) GTEST_SKIP() << "there is no openssl command";
    const CertificateAuthority authority(folder_.path());
    const ServerTls tls = authority.issue("good", "IP:127.0.0.1");
    const std::string command = std::string("exec node '") + RAGSTONE_HTTP2_SERVER + "' '" + tls.certificate.string() +
                                "' '" + tls.key.string() + "'";
    server_ = ::popen(command.c_str(), "r");
    ASSERT_NE(server_, nullptr);
    ASSERT_EQ(std::fscanf(server_, "%d %d", &port_, &process_), 2);
    HttpOptions options;
    options.addresses = AddressPolicy::with_local();
    options.ca_file = authority.file().string();
    client_ = HttpClient(runtime_, options);
  }

  void TearDown() override {
    if (process_ != 0) ::kill(process_, SIGTERM);
    if (server_ != nullptr) ::pclose(server_);
  }

  HttpRequest request(const std::string& path, std::string body = {}) const {
    HttpRequest request;
    request.method = body.empty() ? "GET" : "POST";
    request.url = "https://127.0.0.1:" + std::to_string(port_) + path;
    request.body = std::move(body);
    return request;
  }

  /// "SESSIONS STREAMS" of the server, this request included.
  std::string count() { return runtime_.run(client_.fetch(request("/count"))).body; }

  test::TemporaryFolder folder_;
  Runtime runtime_;
  HttpClient client_;
  FILE* server_ = nullptr;
  int port_ = 0;
  int process_ = 0;
};

TEST_F(Http2, CallsAndStreamsShareOneConnection) {
  std::vector<Task<HttpResponse>> calls;
  for (int i = 0; i < 100; ++i)
    calls.push_back(client_.fetch(request("/echo", std::to_string(i) + std::string(5'000, 'x'))));
  std::vector<Task<std::string>> streams;
  for (int i = 0; i < 20; ++i) streams.push_back(read_all(client_, request("/tokens")));
  const auto responses = runtime_.run(gather(std::move(calls)));
  for (std::size_t i = 0; i < responses.size(); ++i) {
    EXPECT_EQ(responses[i].status, 200);
    EXPECT_TRUE(responses[i].body.starts_with(std::to_string(i) + "x"));
    EXPECT_EQ(responses[i].body.size(), 5'000 + std::to_string(i).size());
  }
  for (const std::string& text : runtime_.run(gather(std::move(streams)))) EXPECT_EQ(text.size(), 20 * 13u);
  EXPECT_EQ(count(), "1 1");
}

// C1, N1
TEST_F(Http2, AStreamThatIsGivenUpLeavesTheConnectionToTheOthers) {
  EXPECT_EQ(runtime_.run(client_.fetch(request("/echo", "before"))).body, "before");
  for (int i = 0; i < 20; ++i) {
    auto hanging = read_all(client_, request("/hang"));
    const auto wait = std::chrono::microseconds(200 * i);
    EXPECT_EQ(error_of([&] { runtime_.run(with_timeout(std::move(hanging), wait)); }).errc(), Errc::timeout);
  }
  EXPECT_EQ(runtime_.run(client_.fetch(request("/echo", "after"))).body, "after");
  EXPECT_EQ(count(), "1 1") << "one connection, and no stream but this request's";
}

// N2
TEST_F(Http2, AStreamThatBreaksOffIsAnErrorThatMayPass) {
  EXPECT_EQ(error_of([&] { runtime_.run(read_all(client_, request("/reset"))); }).errc(), Errc::transient);
  EXPECT_EQ(runtime_.run(client_.fetch(request("/echo", "after"))).body, "after");
  EXPECT_EQ(count(), "1 1") << "only the stream was reset";
  EXPECT_EQ(error_of([&] { runtime_.run(read_all(client_, request("/drop"))); }).errc(), Errc::transient);
  EXPECT_EQ(runtime_.run(client_.fetch(request("/echo", "again"))).body, "again");
  EXPECT_EQ(count(), "2 1") << "the connection was closed";
}

}  // namespace
}  // namespace ragstone
