#include "support/errors.hpp"
#include "support/http/requests.hpp"
#include "support/http/scripted_server.hpp"
#include "support/process_use.hpp"
#include "support/rounds.hpp"
#include <ragstone/async/deadline.hpp>
#include <ragstone/async/gather.hpp>
#include <ragstone/async/runtime.hpp>
#include <ragstone/http/http_client.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <random>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

namespace ragstone {
namespace {

using namespace std::chrono_literals;
using test::error_of;
using test::get;
using test::local_options;
using test::open_descriptors;
using test::ScriptedServer;
using test::ServerReply;
using test::ServerRequest;

TEST(HttpClient, SendsWhatIsAskedAndReturnsTheReply) {
  ServerRequest seen;
  ScriptedServer server([&](const ServerRequest& request) {
    seen = request;
    return ServerReply::text(404, "没有", "X-One:  a b \r\nx-one: c\r\n");
  });
  Runtime runtime;
  const HttpClient client(runtime, local_options());
  HttpRequest request;
  request.method = "POST";
  request.url = server.url("/path?q=1");
  request.headers.add("X-Test", "yes");
  request.bearer = Secret("canary-key");
  request.body = "{\"text\":\"你好\"}";
  const HttpResponse response = runtime.run(client.fetch(request));
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body, "没有");
  EXPECT_EQ(response.headers.find("X-ONE"), "a b");
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.target, "/path?q=1");
  EXPECT_EQ(seen.body, request.body);
  EXPECT_EQ(seen.header("x-test"), "yes");
  EXPECT_EQ(seen.header("authorization"), "Bearer canary-key");
  EXPECT_EQ(seen.header("expect"), "");
}

TEST(HttpClient, ReusesConnections) {
  ScriptedServer server([](const ServerRequest&) { return ServerReply::text(200, "ok"); });
  Runtime runtime;
  const HttpClient client(runtime, local_options());
  for (int i = 0; i < 20; ++i) EXPECT_EQ(runtime.run(client.fetch(get(server.url()))).body, "ok");
  EXPECT_EQ(server.connections(), 1u);
}

TEST(HttpClient, BoundsTheConnectionsToAHost) {
  ScriptedServer server([](const ServerRequest&) { return ServerReply().pause(1ms).send("HTTP/1.1 204 No\r\n\r\n"); });
  Runtime runtime;
  HttpOptions options = local_options();
  options.max_connections_per_host = 4;
  const HttpClient client(runtime, options);
  std::vector<Task<HttpResponse>> calls;
  for (int i = 0; i < 100; ++i) calls.push_back(client.fetch(get(server.url())));
  for (const auto& response : runtime.run(gather(std::move(calls)))) EXPECT_EQ(response.status, 204);
  EXPECT_LE(server.connections(), 4u);
}

// What waits for a connection is not forgotten when others before it, with it or after it are given up, fail or end.
TEST(HttpClient, CallsThatWaitForAConnectionGetTheirTurnWhateverHappensToOthers) {
  std::mt19937 random(1);
  ScriptedServer server([&](const ServerRequest& request) {
    if (request.target.ends_with("3")) return ServerReply().close();
    if (request.target.ends_with("5")) return ServerReply::text(200, request.target, "Connection: close\r\n").close();
    return ServerReply().pause(std::chrono::milliseconds(random() % 2)).then(ServerReply::text(200, request.target));
  });
  Runtime runtime;
  HttpOptions options = local_options();
  options.max_connections_per_host = 3;
  const HttpClient client(runtime, options);
  std::mt19937 choice(2);
  for (std::size_t round = 0; round < test::rounds(5); ++round) {
    std::vector<Task<HttpResponse>> calls;
    std::vector<bool> impatient;
    for (int i = 0; i < 100; ++i) {
      auto call = client.fetch(get(server.url("/" + std::to_string(i))));
      impatient.push_back(choice() % 3 == 0);
      if (impatient.back()) call = with_timeout(std::move(call), std::chrono::microseconds(choice() % 40'000));
      calls.push_back(std::move(call));
    }
    const auto outcomes = runtime.run(gather_outcomes(std::move(calls)));
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      const std::string target = "/" + std::to_string(i);
      if (outcomes[i]) {
        EXPECT_EQ(outcomes[i].value().body, target);
      } else {
        EXPECT_TRUE(impatient[i] || target.ends_with("3")) << target << ": " << message_of(outcomes[i].error());
      }
    }
  }
  options.max_connections_per_host = 0;
  EXPECT_EQ(error_of([&] { HttpClient none(runtime, options); }).errc(), Errc::invalid_argument);
}

TEST(HttpClient, RefusesLimitsOfTimeThatAreNotAboveZero) {
  Runtime runtime;
  for (auto limit : {&HttpOptions::connect_timeout, &HttpOptions::first_byte_timeout, &HttpOptions::idle_timeout,
                     &HttpOptions::total_timeout})
    for (const int milliseconds : {0, -1}) {
      HttpOptions options;
      options.*limit = std::chrono::milliseconds(milliseconds);
      EXPECT_EQ(error_of([&] { HttpClient none(runtime, options); }).errc(), Errc::invalid_argument);
    }
  EXPECT_EQ(error_of([] { HttpStream().set_idle_timeout(std::chrono::milliseconds(0)); }).errc(),
            Errc::invalid_argument);
}

// N4, S9
TEST(HttpClient, RefusesUrlsThatAreNotPlainHttp) {
  Runtime runtime;
  const HttpClient client(runtime, local_options());
  for (const char* url : {"", "nothing", "ftp://127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1/", "http://",
                          "http://user:canary@127.0.0.1/", "http://127.0.0.1:99999/", "http://a b/", "//127.0.0.1/"}) {
    const Error error = error_of([&] { runtime.run(client.fetch(get(url))); });
    EXPECT_EQ(error.errc(), Errc::invalid_argument) << url;
    EXPECT_EQ(std::string(error.what()).find("canary"), std::string::npos) << error.what();
  }
}

TEST(HttpClient, RefusesHeadersThatWouldBreakOut) {
  Runtime runtime;
  const HttpClient client(runtime, local_options());
  HttpRequest request = get("http://127.0.0.1:1/");
  request.headers.add("X", "a\r\nHost: evil");
  EXPECT_EQ(error_of([&] { runtime.run(client.fetch(request)); }).errc(), Errc::invalid_argument);
  request = get("http://127.0.0.1:1/");
  request.bearer = Secret("canary\nkey");
  const Error error = error_of([&] { runtime.run(client.fetch(request)); });
  EXPECT_EQ(error.errc(), Errc::invalid_argument);
  EXPECT_EQ(std::string(error.what()).find("canary"), std::string::npos);
}

TEST(HttpClient, AKeyGoesIntoTheFieldThatIsNamed) {
  std::string key;
  std::string bearer;
  ScriptedServer server([&](const ServerRequest& request) {
    key = request.header("api-key");
    bearer = request.header("authorization");
    return ServerReply::text(200, "ok");
  });
  Runtime runtime;
  const HttpClient client(runtime, local_options());
  HttpRequest request = get(server.url());
  request.bearer = Secret("k-1");
  request.key_header = "api-key";
  runtime.run(client.fetch(request));
  EXPECT_EQ(key, "k-1");
  EXPECT_EQ(bearer, "");
  request.key_header = "api key";
  EXPECT_EQ(error_of([&] { runtime.run(client.fetch(request)); }).errc(), Errc::invalid_argument);
}

// AS-4
TEST(HttpClient, ADeadlineEndsTheCallAndClosesTheConnection) {
  ScriptedServer server([](const ServerRequest&) { return ServerReply().hang(); });
  Runtime runtime;
  const HttpClient client(runtime, local_options());
  CallContext context;
  EXPECT_EQ(error_of([&] { runtime.run(client.fetch(get(server.url()), context.with_timeout(30ms))); }).errc(),
            Errc::timeout);
  EXPECT_TRUE(server.wait_for_no_connection());
}

Task<std::size_t> read_a_little(HttpClient client, HttpRequest request, std::size_t pieces) {
  HttpStream stream = co_await client.open(std::move(request));
  std::string bytes;
  for (std::size_t i = 0; i < pieces && !stream.ended(); ++i) {
    if (!stream.take(bytes)) co_await stream.wait();
  }
  co_return pieces;
}

// AS-4, C1, N1
TEST(HttpClient, StreamsThatAreDroppedOrCancelledAnywhereLeaveNothing) {
  ScriptedServer server([](const ServerRequest&) {
    ServerReply reply = ServerReply::event_stream();
    for (int i = 0; i < 5; ++i) reply.event("token").pause(1ms);
    return reply.hang();
  });
  Runtime runtime;
  const HttpClient client(runtime, local_options());
  runtime.run(read_a_little(client, get(server.url()), 2));
  ASSERT_TRUE(server.wait_for_no_connection());
  const std::size_t before = open_descriptors();
  std::mt19937 random(1);
  for (std::size_t round = 0; round < test::rounds(20); ++round) {
    std::vector<Task<std::size_t>> streams;
    for (int i = 0; i < 10; ++i) {
      auto stream = read_a_little(client, get(server.url()), random() % 8);
      streams.push_back(with_timeout(std::move(stream), std::chrono::microseconds(random() % 9'000)));
    }
    runtime.run(gather_outcomes(std::move(streams)));
  }
  EXPECT_TRUE(server.wait_for_no_connection());
  EXPECT_EQ(runtime.operations(), 0u);
  EXPECT_EQ(open_descriptors(), before);
}

// C4
TEST(HttpClient, ARuntimeThatEndsTakesItsTransfersAlong) {
  ScriptedServer server([](const ServerRequest&) { return ServerReply().hang(); });
  for (std::size_t i = 0; i < 10; ++i) {
    Runtime runtime;
    const HttpClient client(runtime, local_options());
    std::atomic<bool> ended = false;
    const std::size_t before = server.requests();
    runtime.spawn(client.fetch(get(server.url())), [&](std::exception_ptr error, HttpResponse) {
      EXPECT_TRUE(error);
      ended = true;
    });
    if (i % 2 == 0) {
      EXPECT_TRUE(server.wait_for_requests(before + 1));
    }
  }
  EXPECT_TRUE(server.wait_for_no_connection());
}

// C3: also by ThreadSanitizer, the preset tsan.
TEST(HttpClient, ServesCallersOnSeveralThreads) {
  ScriptedServer server([](const ServerRequest& request) { return ServerReply::text(200, request.target); });
  boost::asio::thread_pool threads(4);
  {
    Runtime runtime(threads.get_executor());
    const HttpClient client(runtime, local_options());
    std::vector<std::future<HttpResponse>> calls;
    for (int i = 0; i < 200; ++i)
      calls.push_back(runtime.spawn(client.fetch(get(server.url("/" + std::to_string(i)))), boost::asio::use_future));
    for (int i = 0; i < 200; ++i) EXPECT_EQ(calls[static_cast<std::size_t>(i)].get().body, "/" + std::to_string(i));
  }
  threads.join();
}

TEST(HttpClient, AnIdleClientLetsALoopEnd) {
  ScriptedServer server([](const ServerRequest&) { return ServerReply::text(200, "ok"); });
  boost::asio::io_context loop(1);
  Runtime runtime(loop.get_executor());
  const HttpClient client(runtime, local_options());
  std::string body;
  boost::asio::co_spawn(loop, client.fetch(get(server.url())),
                        [&](std::exception_ptr, HttpResponse response) { body = response.body; });
  loop.run();
  EXPECT_EQ(body, "ok");
}

TEST(HttpClient, AnEmptyHandleSaysSo) {
  Runtime runtime;
  EXPECT_EQ(error_of([&] { runtime.run(HttpClient().fetch(get("http://127.0.0.1/"))); }).errc(), Errc::closed);
  HttpStream none;
  std::string bytes;
  EXPECT_TRUE(none.ended());
  EXPECT_EQ(error_of([&] { none.take(bytes); }).errc(), Errc::closed);
  EXPECT_EQ(error_of([&] { runtime.run(none.wait()); }).errc(), Errc::closed);
}

}  // namespace
}  // namespace ragstone
