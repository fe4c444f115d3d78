// Small pieces that follow each other fast are read together (benchmarks/wire.cpp says what that saves).

#include "support/errors.hpp"
#include "support/http/requests.hpp"
#include "support/http/scripted_server.hpp"
#include "support/rounds.hpp"
#include <ragstone/async/deadline.hpp>
#include <ragstone/async/gather.hpp>
#include <ragstone/async/runtime.hpp>
#include <ragstone/http/http_client.hpp>

#include <chrono>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

using test::get;
using test::local_options;
using test::ScriptedServer;
using test::ServerReply;
using test::ServerRequest;

constexpr std::size_t kPieces = 3'000;

/// Pieces without a pause, then one, then pieces again, and an end as the path says.
ServerReply pieces(const ServerRequest& request) {
  ServerReply piece;
  piece.chunk("词0123456789");
  const std::string bytes = std::get<ServerReply::Send>(piece.steps[0]).bytes;
  ServerReply reply = ServerReply::event_stream();
  reply.repeat(bytes, kPieces).pause(std::chrono::milliseconds(3)).repeat(bytes, kPieces);
  if (request.target == "/reset") return reply.reset();
  return reply.end_of_chunks();
}

Task<std::string> read_all(HttpClient client, HttpRequest request) {
  HttpStream stream = co_await client.open(std::move(request));
  std::string all;
  std::string bytes;
  while (!stream.ended()) {
    if (stream.take(bytes)) {
      all += bytes;
    } else {
      co_await stream.wait();
    }
  }
  while (stream.take(bytes)) all += bytes;
  co_return all;
}

std::string whole() {
  std::string text;
  for (std::size_t i = 0; i < 2 * kPieces; ++i) text += "词0123456789";
  return text;
}

class FastPieces : public testing::Test {
 protected:
  ScriptedServer server_{&pieces};
  Runtime runtime_;
  HttpClient client_{runtime_, local_options()};
};

TEST_F(FastPieces, AllComeInOrderOnOneConnection) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(runtime_.run(read_all(client_, get(server_.url("/")))), whole());
  EXPECT_EQ(server_.connections(), 1u);
}

TEST_F(FastPieces, AConnectionThatBreaksOffIsAnError) {
  EXPECT_EQ(test::error_of([&] { runtime_.run(read_all(client_, get(server_.url("/reset")))); }).errc(),
            Errc::transient);
}

TEST_F(FastPieces, StreamsGivenUpAtAnyMomentHoldUpNoOther) {
  std::mt19937 random(11);
  for (std::size_t round = 0; round < test::rounds(5); ++round) {
    std::vector<Task<std::string>> streams;
    for (int i = 0; i < 20; ++i)
      streams.push_back(
          with_timeout(read_all(client_, get(server_.url("/"))), std::chrono::microseconds(random() % 40'000)));
    streams.push_back(read_all(client_, get(server_.url("/"))));
    const auto outcomes = runtime_.run(gather_outcomes(std::move(streams)));
    EXPECT_EQ(outcomes.back().value(), whole());
    for (const auto& outcome : outcomes) {
      if (outcome.has_value()) {
        EXPECT_EQ(outcome.value(), whole());
      }
    }
  }
}

}  // namespace
}  // namespace ragstone
