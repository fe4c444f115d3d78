#include "support/errors.hpp"
#include "support/http/requests.hpp"
#include "support/http/scripted_server.hpp"
#include <ragstone/async/runtime.hpp>
#include <ragstone/http/http_client.hpp>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

using test::error_of;
using test::get;
using test::local_options;
using test::read_all;
using test::ScriptedServer;
using test::ServerReply;
using test::ServerRequest;

// N4
TEST(Redirects, FollowsAFewRedirects) {
  ScriptedServer server([](const ServerRequest& request) {
    const int left = std::stoi(request.target.substr(1));
    if (left == 0) return ServerReply::text(200, request.header("authorization"));
    return ServerReply::text(302, "", "Location: /" + std::to_string(left - 1) + "\r\n");
  });
  Runtime runtime;
  const HttpClient client(runtime, local_options());
  HttpRequest request = get(server.url("/5"));
  request.bearer = Secret("key");
  const HttpResponse response = runtime.run(client.fetch(request));
  EXPECT_EQ(response.body, "Bearer key") << "one origin";
  EXPECT_EQ(response.url, server.url("/0"));
  EXPECT_EQ(error_of([&] { runtime.run(client.fetch(get(server.url("/6")))); }).errc(), Errc::rejected);
}

// N4
TEST(Redirects, CredentialsStayAtTheirOrigin) {
  ServerRequest seen;
  ScriptedServer other([&](const ServerRequest& request) {
    seen = request;
    return ServerReply::text(200, "there");
  });
  int status = 307;
  ScriptedServer server(
      [&](const ServerRequest&) { return ServerReply::text(status, "", "Location: " + other.url("/x") + "\r\n"); });
  Runtime runtime;
  const HttpClient client(runtime, local_options());
  HttpRequest request = get(server.url());
  request.bearer = Secret("canary");
  request.headers.add("X-Api-Key", "canary");
  request.headers.add("Accept", "text/plain");
  EXPECT_EQ(runtime.run(client.fetch(request)).body, "there");
  EXPECT_EQ(seen.header("accept"), "text/plain");
  for (const auto& [name, value] : seen.headers) EXPECT_EQ(value.find("canary"), std::string::npos) << name;

  request.method = "POST";
  request.body = "a private text";
  for (status = 301; status <= 308; ++status) {
    if (status > 303 && status < 307) continue;
    EXPECT_EQ(error_of([&] { runtime.run(client.fetch(request)); }).errc(), Errc::rejected) << status;
    EXPECT_EQ(error_of([&] { runtime.run(read_all(client, request)); }).errc(), Errc::rejected) << status;
  }
  EXPECT_EQ(other.requests(), 1u);
}

// N4: within an origin a request goes on as it is, whole or streamed.
TEST(Redirects, APostIsFollowedWithinItsOrigin) {
  int status = 0;
  ScriptedServer server([&](const ServerRequest& request) {
    if (request.target == "/new")
      return ServerReply::text(200, request.method + ' ' + request.body + ' ' + request.header("authorization"));
    return ServerReply::text(status, "", "Location: /new\r\n");
  });
  Runtime runtime;
  const HttpClient client(runtime, local_options());
  HttpRequest request = get(server.url("/old"));
  request.method = "POST";
  request.body = "问题";
  request.bearer = Secret("key");
  for (const int code : {307, 308, 303}) {
    status = code;
    const std::string expected = code == 303 ? "GET  Bearer key" : "POST 问题 Bearer key";
    EXPECT_EQ(runtime.run(client.fetch(request)).body, expected) << code;
    EXPECT_EQ(runtime.run(read_all(client, request)), expected) << code;
  }
}

// N4, S1
TEST(Redirects, RedirectsAreCheckedLikeTheFirstUrl) {
  std::string location;
  ScriptedServer server(
      [&](const ServerRequest&) { return ServerReply::text(301, "", "Location: " + location + "\r\n"); });
  Runtime runtime;
  const HttpClient client(runtime, local_options());
  for (const char* to : {"ftp://127.0.0.1/", "file:///etc/passwd", "http://169.254.169.254/latest/meta-data/",
                         "http://u:p@127.0.0.1/", "gopher://127.0.0.1:70/_x", "//169.254.169.254/"}) {
    location = to;
    EXPECT_EQ(error_of([&] { runtime.run(client.fetch(get(server.url()))); }).errc(), Errc::rejected) << to;
  }
}

}  // namespace
}  // namespace ragstone
