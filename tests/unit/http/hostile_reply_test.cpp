// N3: replies without end, replies that unpack to a thousand times their size, and headers of megabytes take no more
// memory than the caps say.

#include "support/errors.hpp"
#include "support/http/requests.hpp"
#include "support/http/scripted_server.hpp"
#include "support/process_use.hpp"
#include <ragstone/async/gather.hpp>
#include <ragstone/async/runtime.hpp>
#include <ragstone/http/http_client.hpp>

#include <cstddef>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <zlib.h>

namespace ragstone {
namespace {

using test::error_of;
using test::get;
using test::local_options;
using test::PeakMemory;
using test::read_all;
using test::ScriptedServer;
using test::ServerReply;
using test::ServerRequest;

constexpr std::size_t kMiB = std::size_t{1} << 20;

/// Half a megabyte that unpacks to `mib` MiB: the same compressed block again and again.
ServerReply bomb(std::size_t mib) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
  std::string zeros(kMiB, '\0');
  std::string packed(64 << 10, '\0');
  const auto block = [&] {
    stream.next_in = reinterpret_cast<Bytef*>(zeros.data());
    stream.avail_in = static_cast<uInt>(zeros.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    deflate(&stream, Z_FULL_FLUSH);
    return packed.substr(0, packed.size() - stream.avail_out);
  };
  const std::string first = block();  // with the head of the gzip file
  const std::string other = block();
  deflateEnd(&stream);
  ServerReply reply;
  reply.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + first).repeat(other, mib - 1).close();
  return reply;
}

class HostileReply : public testing::Test {
 protected:
  static ServerReply reply(const std::string& kind) {
    const std::string head = "HTTP/1.1 200 OK\r\n";
    if (kind == "bomb") return bomb(512);
    if (kind == "endless") return ServerReply().send(head + "\r\n").repeat(std::string(65'536, 'x'), 1'000'000);
    if (kind == "chunks") {
      std::string chunks;
      for (int i = 0; i < 10'000; ++i) chunks += "1\r\nx\r\n";
      return ServerReply::event_stream().repeat(chunks, 10'000);
    }
    if (kind == "promised")
      return ServerReply().send(head + "Content-Length: 1000000000000\r\n\r\n").repeat(std::string(65'536, 'x'), 9'999);
    if (kind == "one_header") return ServerReply().send(head + "X: ").repeat(std::string(65'536, 'x'), 80);
    return ServerReply().send(head).repeat("X-Filler: " + std::string(1'000, 'x') + "\r\n", 5'000);
  }

  /// With a client of its own, so that nothing is left of the reply before.
  void expect_bounded(const HttpOptions& options, const std::string& kind) {
    SCOPED_TRACE(kind);
    Runtime runtime;
    const HttpClient client(runtime, options);
    const PeakMemory memory;
    const Error error = error_of([&] { runtime.run(client.fetch(get(server.url("/" + kind)))); });
    const std::size_t peak = memory.bytes();
    EXPECT_EQ(error.errc(), Errc::limit_exceeded) << error.what();
    if (PeakMemory::counts()) {
      EXPECT_LE(peak, options.max_body_bytes + 16 * kMiB);
    }
    EXPECT_TRUE(server.wait_for_no_connection());
    RecordProperty(kind, std::to_string(peak));
  }

  ScriptedServer server{[](const ServerRequest& request) { return reply(request.target.substr(1)); }};
};

TEST_F(HostileReply, TakesNoMoreMemoryThanTheCap) {
  HttpOptions options = local_options();
  options.max_body_bytes = 8 * kMiB;
  for (const char* kind : {"bomb", "endless", "chunks", "promised", "one_header", "headers"})
    expect_bounded(options, kind);
}

TEST_F(HostileReply, TakesNoMoreMemoryThanTheCapThatIsTheDefault) {
  for (const char* kind : {"bomb", "endless", "promised"}) expect_bounded(local_options(), kind);
}

// Nobody keeps what a reader has taken, or has not taken yet.
TEST_F(HostileReply, AStreamHoldsOnlyWhatIsUnread) {
  struct Reader {
    static Task<std::size_t> count(HttpClient client, HttpRequest request) {
      HttpStream stream = co_await client.open(std::move(request));
      std::string bytes;
      std::size_t total = 0;
      while (total < 256 * kMiB) {
        if (stream.take(bytes)) {
          total += bytes.size();
        } else {
          co_await stream.wait();
        }
      }
      co_return total;
    }
  };
  HttpOptions options = local_options();
  options.max_body_bytes = 1024 * kMiB;
  Runtime runtime;
  const HttpClient client(runtime, options);
  const PeakMemory memory;
  EXPECT_GE(runtime.run(Reader::count(client, get(server.url("/endless")))), 256 * kMiB);
  if (PeakMemory::counts()) {
    EXPECT_LE(memory.bytes(), 16 * kMiB);
  }
  EXPECT_TRUE(server.wait_for_no_connection());
}

}  // namespace
}  // namespace ragstone
