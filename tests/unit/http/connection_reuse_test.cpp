// S8: connections are reused, but never for another key or another server.

#include "support/http/requests.hpp"
#include "support/http/scripted_names.hpp"
#include "support/http/scripted_server.hpp"
#include "support/rounds.hpp"
#include <ragstone/async/deadline.hpp>
#include <ragstone/async/gather.hpp>
#include <ragstone/async/runtime.hpp>
#include <ragstone/http/http_client.hpp>

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

using test::get;
using test::local_options;
using test::ScriptedNames;
using test::ScriptedServer;
using test::ServerReply;
using test::ServerRequest;

/// A server that says what it was asked by whom, and sees whether two keys or two host names share a connection.
class WatchfulServer {
 public:
  explicit WatchfulServer(unsigned seed) : random_(seed) {}

  std::string url(const std::string& host, const std::string& path) const {
    return "http://" + host + ":" + std::to_string(server_.port()) + path;
  }
  std::size_t mixed() const {
    const std::lock_guard lock(mutex_);
    return mixed_;
  }
  std::size_t connections() const { return server_.connections(); }
  std::size_t requests() const { return server_.requests(); }

 private:
  ServerReply answer(const ServerRequest& request) {
    const std::lock_guard lock(mutex_);
    const std::string who = request.header("host") + " " + request.header("authorization");
    const auto [known, is_new] = callers_.emplace(request.connection, who);
    if (!is_new && known->second != who) ++mixed_;
    const std::string body = who + " " + request.target;
    switch (random_() % 16) {
      case 0:
        return ServerReply::text(200, body, "Connection: close\r\n").close();
      case 1:
        return ServerReply::event_stream().chunk(body).pause(std::chrono::milliseconds(1)).end_of_chunks();
      case 2:
        return ServerReply::text(500, body);
      default:
        return ServerReply::text(200, body);
    }
  }

  mutable std::mutex mutex_;
  std::mt19937 random_;
  std::map<std::size_t, std::string> callers_;
  std::size_t mixed_ = 0;
  ScriptedServer server_{[this](const ServerRequest& request) { return answer(request); }};
};

/// Whether the reply is the one to this request; a stream may be dropped before it is known.
Task<bool> ask(HttpClient client, HttpRequest request, std::string wanted, int way) {
  if (way < 8) {
    const HttpResponse response = co_await client.fetch(request);
    co_return response.body == wanted;
  }
  HttpStream stream = co_await client.open(request);
  std::string all;
  std::string bytes;
  while (!stream.ended() && way != 8) {
    if (stream.take(bytes)) {
      all += bytes;
    } else {
      co_await stream.wait();
    }
  }
  co_return way == 8 || all == wanted;
}

TEST(ConnectionReuse, NeverCrossesKeysOrServersWhateverTheOrder) {
  constexpr int kKeys = 50;
  ScriptedNames names;
  const std::vector<std::string> hosts = {"127.0.0.1", "one.test", "two.test"};
  for (const auto& host : hosts) names.set(host, "127.0.0.1");
  std::deque<WatchfulServer> servers;
  for (const unsigned seed : {1u, 2u}) servers.emplace_back(seed);
  Runtime runtime;
  HttpOptions options = local_options();
  options.max_connections_per_host = 4;
  const HttpClient client(runtime, options);
  std::mt19937 random(7);
  std::size_t asked = 0;
  std::size_t answered = 0;
  for (std::size_t round = 0; round < test::rounds(10); ++round) {
    std::vector<Task<bool>> calls;
    for (int i = 0; i < 200; ++i) {
      const WatchfulServer& server = servers[random() % servers.size()];
      const std::string& host = hosts[random() % hosts.size()];
      const std::string key = random() % 10 == 0 ? "" : "key-" + std::to_string(random() % kKeys);
      const std::string path = "/" + std::to_string(asked++);
      HttpRequest request = get(server.url(host, path));
      request.bearer = Secret(key);
      const std::string origin = server.url(host, "").substr(7);
      const std::string wanted = origin + (key.empty() ? " " : " Bearer " + key) + " " + path;
      Task<bool> call = ask(client, request, wanted, static_cast<int>(random() % 10));
      if (random() % 20 == 0) call = with_timeout(std::move(call), std::chrono::microseconds(random() % 3'000));
      calls.push_back(std::move(call));
    }
    for (const Outcome<bool>& outcome : runtime.run(gather_outcomes(std::move(calls)))) {
      if (!outcome) continue;  // out of time, or cut by the server's end of another request
      EXPECT_TRUE(outcome.value()) << "a reply to another request";
      ++answered;
    }
  }
  EXPECT_GE(answered, asked * 9 / 10);
  std::size_t connections = 0;
  std::size_t requests = 0;
  for (const WatchfulServer& server : servers) {
    EXPECT_EQ(server.mixed(), 0u);
    connections += server.connections();
    requests += server.requests();
  }
  EXPECT_LT(connections, requests) << "none was ever reused";
}

}  // namespace
}  // namespace ragstone
