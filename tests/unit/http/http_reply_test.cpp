#include "support/errors.hpp"
#include "support/http/requests.hpp"
#include "support/http/scripted_server.hpp"
#include <ragstone/async/runtime.hpp>
#include <ragstone/http/http_client.hpp>

#include <chrono>
#include <mutex>

#include <gtest/gtest.h>
#include <zlib.h>

namespace ragstone {
namespace {

using namespace std::chrono_literals;
using test::error_of;
using test::get;
using test::local_options;
using test::read_all;
using test::ScriptedServer;
using test::ServerReply;
using test::ServerRequest;

std::string gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST(HttpReply, UnpacksCompressedReplies) {
  const std::string text(10'000, 'x');
  const std::string packed = gzip(text);
  ScriptedServer server([&](const ServerRequest& request) {
    EXPECT_NE(request.header("accept-encoding").find("gzip"), std::string::npos);
    return ServerReply::text(200, packed, "Content-Encoding: gzip\r\n");
  });
  Runtime runtime;
  EXPECT_EQ(runtime.run(HttpClient(runtime, local_options()).fetch(get(server.url()))).body, text);
}

TEST(HttpReply, AReaderThatIsSlowStopsTheConnectionNotTheReply) {
  constexpr std::size_t kChunks = 400;
  const std::string chunk(8'192, 'y');
  ScriptedServer server([&](const ServerRequest&) {
    ServerReply reply = ServerReply::event_stream();
    for (std::size_t i = 0; i < kChunks; ++i) reply.chunk(chunk);
    return reply.end_of_chunks();
  });
  Runtime runtime;
  EXPECT_EQ(runtime.run(read_all(HttpClient(runtime, local_options()), get(server.url()))).size(),
            kChunks * chunk.size());
}

// N2
TEST(HttpReply, AReplyThatIsCutAnywhereIsAnErrorThatMaySucceedWhenRepeated) {
  const std::vector<std::string> replies = {
      "HTTP/1.1 200 OK\r\nContent-Length: 11\r\nX: y\r\n\r\nhello world",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"};
  std::mutex mutex;  // libcurl may repeat a request while the next reply is chosen
  std::string bytes;
  bool reset = false;
  ScriptedServer server([&](const ServerRequest&) {
    const std::lock_guard lock(mutex);
    ServerReply reply;
    if (!bytes.empty()) reply.send(bytes);
    return reset ? reply.reset() : reply.close();
  });
  Runtime runtime;
  const HttpClient client(runtime, local_options());
  for (const std::string& whole : replies)
    for (const bool by_reset : {false, true})
      for (std::size_t cut = 0; cut + 1 < whole.size(); ++cut) {  // nobody misses the last line end
        {
          const std::lock_guard lock(mutex);
          bytes = whole.substr(0, cut);
          reset = by_reset;
        }
        EXPECT_EQ(error_of([&] { runtime.run(client.fetch(get(server.url()))); }).errc(), Errc::transient)
            << cut << " bytes of " << whole;
        EXPECT_EQ(error_of([&] { runtime.run(read_all(client, get(server.url()))); }).errc(), Errc::transient)
            << cut << " bytes of " << whole;
      }
}

// N2
TEST(HttpReply, BrokenFramingIsAnError) {
  std::mutex mutex;
  std::string bytes;
  ScriptedServer server([&](const ServerRequest&) {
    const std::lock_guard lock(mutex);
    return ServerReply().send(bytes).close();
  });
  Runtime runtime;
  const HttpClient client(runtime, local_options());
  for (const char* broken :
       {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n", "SSH-2.0-OpenSSH_9\r\n",
        "hello", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nx", "\r\n\r\n"}) {
    {
      const std::lock_guard lock(mutex);
      bytes = broken;
    }
    EXPECT_THROW(runtime.run(client.fetch(get(server.url()))), Error) << broken;
  }
}

// N3
TEST(HttpReply, BodiesAreBoundedAfterDecompression) {
  const std::string bomb = gzip(std::string(64 << 20, '\0'));
  ScriptedServer server([&](const ServerRequest& request) {
    if (request.target == "/bomb") return ServerReply::text(200, bomb, "Content-Encoding: gzip\r\n");
    return ServerReply().send("HTTP/1.1 200 OK\r\n\r\n").repeat(std::string(65'536, 'x'), 1'000'000);
  });
  Runtime runtime;
  HttpOptions options = local_options();
  options.max_body_bytes = 1 << 20;
  const HttpClient client(runtime, options);
  EXPECT_EQ(error_of([&] { runtime.run(client.fetch(get(server.url("/bomb")))); }).errc(), Errc::limit_exceeded);
  EXPECT_EQ(error_of([&] { runtime.run(client.fetch(get(server.url("/endless")))); }).errc(), Errc::limit_exceeded);
  EXPECT_EQ(error_of([&] { runtime.run(read_all(client, get(server.url("/endless")))); }).errc(), Errc::limit_exceeded);
  EXPECT_TRUE(server.wait_for_no_connection());
}

// N3
TEST(HttpReply, HeadersAreBounded) {
  ScriptedServer server([](const ServerRequest&) {
    return ServerReply().send("HTTP/1.1 200 OK\r\n").repeat("X-Filler: " + std::string(1'000, 'x') + "\r\n", 5'000);
  });
  Runtime runtime;
  EXPECT_EQ(error_of([&] { runtime.run(HttpClient(runtime, local_options()).fetch(get(server.url()))); }).errc(),
            Errc::limit_exceeded);
}

// N1
TEST(HttpReply, EachKindOfSilenceHasItsLimit) {
  ScriptedServer server([](const ServerRequest& request) {
    if (request.target == "/first") return ServerReply().hang();
    if (request.target == "/head") return ServerReply().send("HTTP/1.1 200 OK\r\nX").hang();
    if (request.target == "/body") return ServerReply::event_stream().hang();
    if (request.target == "/idle") return ServerReply::event_stream().event("one").hang();
    ServerReply drip = ServerReply::event_stream();
    for (int i = 0; i < 1'000; ++i) drip.event("x").pause(5ms);
    return drip;
  });
  Runtime runtime;
  using Limit = std::chrono::milliseconds HttpOptions::*;
  const Limit first_byte = &HttpOptions::first_byte_timeout;
  const Limit idle = &HttpOptions::idle_timeout;
  const Limit total = &HttpOptions::total_timeout;
  for (const auto& [path, limit, of] :
       {std::tuple("/first", "first_byte_timeout", first_byte), std::tuple("/head", "idle_timeout", idle),
        std::tuple("/body", "first_byte_timeout", first_byte), std::tuple("/idle", "idle_timeout", idle),
        std::tuple("/drip", "total_timeout", total)}) {
    HttpOptions options = local_options();
    for (const Limit each : {first_byte, idle, total}) options.*each = 1h;
    options.*of = 60ms;
    const HttpClient client(runtime, options);
    const HttpRequest request = get(server.url(path));
    const Error error = error_of([&] { runtime.run(read_all(client, request)); });
    EXPECT_EQ(error.errc(), Errc::transient) << path;
    EXPECT_NE(std::string(error.what()).find(limit), std::string::npos) << error.what();
  }
  EXPECT_TRUE(server.wait_for_no_connection());
}

Task<std::string> read_patiently(HttpClient client, HttpRequest request) {
  HttpStream stream = co_await client.open(std::move(request));
  stream.set_idle_timeout(1h);
  std::string all;
  std::string bytes;
  while (!stream.ended()) {
    if (stream.take(bytes)) {
      all += bytes;
    } else {
      co_await stream.wait();
    }
  }
  co_return all;
}

// N1
TEST(HttpReply, AReaderMayGrantAReplyLongerPauses) {
  ScriptedServer server([](const ServerRequest&) {
    return ServerReply::event_stream().event("one").pause(300ms).event("二").end_of_chunks();
  });
  Runtime runtime;
  HttpOptions options = local_options();
  options.idle_timeout = 100ms;
  const HttpClient client(runtime, options);
  EXPECT_EQ(runtime.run(read_patiently(client, get(server.url()))), "data: one\n\ndata: 二\n\n");
}

}  // namespace
}  // namespace ragstone
