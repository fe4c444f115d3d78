// N1: servers that fall silent at whatever point, and callers that give up in whatever way.

#include "support/errors.hpp"
#include "support/http/requests.hpp"
#include "support/http/scripted_server.hpp"
#include "support/process_use.hpp"
#include "support/rounds.hpp"
#include <ragstone/async/gather.hpp>
#include <ragstone/async/runtime.hpp>
#include <ragstone/http/http_client.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ragstone {
namespace {

using namespace std::chrono_literals;
using test::get;
using test::local_options;
using test::open_descriptors;
using test::ScriptedServer;
using test::ServerReply;
using test::ServerRequest;

/// A port on loopback where connecting never ends: nobody accepts, and the queue of those who wait is full.
class FullPort {
 public:
  FullPort() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const name = reinterpret_cast<sockaddr*>(&address);
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::bind(listener_, name, size) != 0 || ::listen(listener_, 0) != 0 || ::getsockname(listener_, name, &size) != 0)
      throw std::system_error(errno, std::generic_category(), "a port that is full");
    port_ = ::ntohs(address.sin_port);
    for (int& waiting : waiting_) {
      waiting = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
      ::connect(waiting, name, size);
    }
  }
  FullPort(const FullPort&) = delete;
  FullPort& operator=(const FullPort&) = delete;
  ~FullPort() {
    for (const int waiting : waiting_) ::close(waiting);
    ::close(listener_);
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }

 private:
  int listener_ = -1;
  std::array<int, 4> waiting_{};
  int port_ = 0;
};

/// Where the server falls silent; "drip" ones go on for ever, a byte at a time.
constexpr std::array<const char*, 13> kStalls = {"connect",       "tls",       "first_byte", "status", "header",
                                                 "informational", "head",      "body",       "size",   "chunk",
                                                 "events",        "drip_head", "drip_body"};

ServerReply stalled(const ServerRequest& request) {
  const std::string stall = request.target.substr(1);
  const std::string head = "HTTP/1.1 200 OK\r\n";
  const std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
  ServerReply reply;
  if (stall == "fine") return ServerReply::text(200, "fine");
  if (stall == "status") reply.send("HTTP/1");
  if (stall == "header") reply.send(head + "X-Half: a");
  if (stall == "informational") reply.send("HTTP/1.1 100 Continue\r\n\r\n");
  if (stall == "head") reply.send(head + "Content-Length: 10\r\n\r\n");
  if (stall == "body") reply.send(head + "Content-Length: 10\r\n\r\nhello");
  if (stall == "size") reply.send(chunked + "5");
  if (stall == "chunk") reply.send(chunked + "a\r\nhello");
  if (stall == "events") reply.send(chunked).event("one").event("two");
  if (stall == "drip_head") reply.send(head + "X-Long: ");
  if (stall == "drip_body") reply.send(head + "\r\n");
  if (stall.starts_with("drip"))
    for (int i = 0; i < 5'000; ++i) reply.send("x").pause(2ms);
  return reply.hang();
}

enum class End { limit, deadline, cancel, drop };

class Scenario {
 public:
  std::string stall;
  End end = End::limit;
  bool streams = false;     ///< open() instead of fetch().
  bool kept_alive = false;  ///< Over a connection that has served a request before.

  std::string described() const {
    return stall + ", end " + std::to_string(static_cast<int>(end)) + (streams ? ", stream" : ", whole") +
           (kept_alive ? ", kept alive" : "");
  }
};

std::vector<Scenario> all_scenarios() {
  std::vector<Scenario> all;
  for (const char* stall : kStalls)
    for (const End end : {End::limit, End::deadline, End::cancel, End::drop})
      for (const bool streams : {false, true})
        for (const bool kept_alive : {false, true}) {
          Scenario& scenario = all.emplace_back();
          scenario.stall = stall;
          scenario.end = end;
          scenario.streams = streams;
          scenario.kept_alive = kept_alive;
        }
  return all;
}

/// Servers that stall, and clients on a loop that the test runs.
class StalledServer : public testing::Test {
 protected:
  std::string url(const std::string& stall) const {
    if (stall == "connect") return full_port_.url();
    if (stall == "tls") return "https" + server.url("/").substr(4);  // the server waits for the end of a head
    return server.url("/" + stall);
  }

  HttpOptions short_limits() const {
    HttpOptions options = local_options();
    options.connect_timeout = 60ms;
    options.first_byte_timeout = 50ms;
    options.idle_timeout = 40ms;
    options.total_timeout = 120ms;
    return options;
  }

  static Task<std::string> read(HttpClient client, HttpRequest request, bool streams, CallContext context) {
    if (streams) co_return co_await test::read_all(client, std::move(request), context);
    HttpResponse response = co_await client.fetch(std::move(request), context);
    co_return response.body;
  }

  /// Reads the head, and at most one piece, in the time; then the stream is dropped.
  static Task<std::string> read_and_drop(HttpClient client, HttpRequest request, CallContext context) {
    HttpStream stream = co_await client.open(std::move(request), context);
    std::string bytes;
    if (!stream.take(bytes)) co_await stream.wait(context);
    co_return bytes;
  }

  static Task<void> leave_connection(HttpClient client, HttpRequest request) {
    try {
      co_await client.fetch(std::move(request));
    } catch (const Error&) {  // one of the short limits
    }
  }

  /// What the scenario's call ended with; null if it did not fail.
  Task<std::exception_ptr> live_through(Scenario scenario, HttpClient limited, HttpClient patient, unsigned seed) {
    const HttpClient client = scenario.end == End::limit ? limited : patient;
    if (scenario.kept_alive) co_await leave_connection(client, get(server.url("/fine")));
    const std::chrono::milliseconds wait(seed % 60);
    CallContext context;
    if (scenario.end == End::deadline) context = context.with_timeout(wait);
    const HttpRequest request = get(url(scenario.stall));
    const auto signal = std::make_shared<boost::asio::cancellation_signal>();
    std::optional<std::exception_ptr> end;
    const auto executor = co_await boost::asio::this_coro::executor;
    boost::asio::steady_timer ended(executor, std::chrono::steady_clock::time_point::max());
    auto call = scenario.end == End::drop && scenario.streams ? read_and_drop(client, request, context)
                                                              : read(client, request, scenario.streams, context);
    const auto on_end = [&, signal](std::exception_ptr call_error, const std::string&) {  // keeps it for the frames
      end = call_error;
      ended.cancel();
    };
    boost::asio::co_spawn(executor, std::move(call), boost::asio::bind_cancellation_slot(signal->slot(), on_end));
    boost::system::error_code ignored;
    if (scenario.end == End::cancel || scenario.end == End::drop) {
      boost::asio::steady_timer timer(executor, wait);
      co_await timer.async_wait(boost::asio::use_awaitable);
      if (!end) signal->emit(boost::asio::cancellation_type::terminal);
    }
    while (!end) co_await ended.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
    co_return *end;
  }

  FullPort full_port_;
  ScriptedServer server{&stalled};
  boost::asio::io_context loop{1};
  Runtime runtime{loop.get_executor()};
};

TEST_F(StalledServer, TwoHundredWaysToHangAllEndAndLeaveNoDescriptor) {
  const std::vector<Scenario> scenarios = all_scenarios();
  ASSERT_GE(scenarios.size(), 200u);
  std::mt19937 random(1);
  std::size_t before = 0;
  for (std::size_t round = 0; round < test::rounds(2); ++round) {
    std::vector<std::exception_ptr> ends;
    {
      HttpOptions patient_options = local_options();
      patient_options.connect_timeout = 1h;
      const HttpClient limited(runtime, short_limits());
      const HttpClient patient(runtime, patient_options);
      std::vector<Task<std::exception_ptr>> calls;
      for (const Scenario& scenario : scenarios)
        calls.push_back(live_through(scenario, limited, patient, static_cast<unsigned>(random())));
      auto all = boost::asio::co_spawn(loop, gather(std::move(calls)), boost::asio::use_future);
      loop.restart();
      loop.run_for(10min);
      ASSERT_TRUE(loop.stopped()) << "something hangs";
      ends = all.get();
    }
    for (std::size_t i = 0; i < scenarios.size(); ++i) {
      const Scenario& scenario = scenarios[i];
      const std::exception_ptr& error = ends[i];
      if (scenario.end == End::drop && scenario.streams && !error) continue;
      ASSERT_TRUE(error) << scenario.described();
      if (scenario.end == End::limit) {
        EXPECT_EQ(errc_of(error), Errc::transient) << scenario.described() << ": " << message_of(error);
        EXPECT_NE(message_of(error).find("_timeout"), std::string::npos) << message_of(error);
      } else if (scenario.end == End::deadline) {
        EXPECT_EQ(errc_of(error), Errc::timeout) << scenario.described() << ": " << message_of(error);
      } else {
        EXPECT_TRUE(is_cancelled(error)) << scenario.described() << ": " << message_of(error);
      }
    }
    EXPECT_TRUE(server.wait_for_no_connection());
    if (round == 0) before = open_descriptors();  // with those of the loop, which stay
    // Connections that were given up early may be taken late.
    EXPECT_TRUE(server.wait_for([&] { return open_descriptors() <= before; })) << open_descriptors() - before;
    EXPECT_EQ(runtime.operations(), 0u);
  }
}

// Well within the 100 ms of N1: all that a cancelled call still does is in the loop's queue already, no timer and no
// socket is waited for.
TEST_F(StalledServer, ACancelledCallEndsWithoutWaitingForAnything) {
  for (std::size_t round = 0; round < test::rounds(1); ++round)
    for (const char* stall : kStalls)
      for (const bool streams : {false, true}) {
        SCOPED_TRACE(std::string(stall) + (streams ? ", stream" : ", whole"));
        const HttpClient client(runtime, local_options());
        const std::size_t asked = server.requests();
        boost::asio::cancellation_signal signal;
        std::optional<std::exception_ptr> end;
        const auto on_end = [&](std::exception_ptr error, const std::string&) { end = error; };
        boost::asio::co_spawn(loop, read(client, get(url(stall)), streams, CallContext()),
                              boost::asio::bind_cancellation_slot(signal.slot(), on_end));
        loop.restart();
        const bool is_seen = stall != std::string_view("connect") && stall != std::string_view("tls");
        while (is_seen && server.requests() == asked) loop.run_one_for(1ms);
        loop.run_for(3ms);
        ASSERT_FALSE(end);
        signal.emit(boost::asio::cancellation_type::terminal);
        loop.poll();
        ASSERT_TRUE(end);
        EXPECT_TRUE(is_cancelled(*end)) << message_of(*end);
      }
  EXPECT_TRUE(server.wait_for_no_connection());
}

std::set<int> descriptor_numbers() {
  std::set<int> numbers;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int number = std::stoi(entry.path().filename());
    if (::fcntl(number, F_GETFD) != -1) numbers.insert(number);
  }
  // That of the folder itself is gone now.
  std::erase_if(numbers, [](int number) { return ::fcntl(number, F_GETFD) == -1; });
  return numbers;
}

// libcurl closes the socket of such a connection unasked, and its number becomes the next descriptor's.
TEST_F(StalledServer, AConnectionThatWasGivenUpTakesNoOthersDescriptorOutOfTheLoop) {
  std::optional<HttpClient> client(std::in_place, runtime, local_options());
  boost::asio::cancellation_signal signal;
  std::optional<std::exception_ptr> end;
  const auto on_end = [&](std::exception_ptr error, const std::string&) { end = error; };
  boost::asio::co_spawn(loop, read(*client, get(url("connect")), false, CallContext()),
                        boost::asio::bind_cancellation_slot(signal.slot(), on_end));
  const std::set<int> before = descriptor_numbers();
  constexpr std::size_t kOfDriver = 2;  // libcurl's own
  for (int i = 0; i < 100'000 && descriptor_numbers().size() <= before.size() + kOfDriver; ++i) loop.run_one_for(1ms);
  const std::set<int> connecting = descriptor_numbers();
  signal.emit(boost::asio::cancellation_type::terminal);
  loop.poll();
  ASSERT_TRUE(end);
  const std::set<int> after = descriptor_numbers();
  boost::asio::local::stream_protocol::socket one(loop);
  boost::asio::local::stream_protocol::socket other(loop);
  // With the numbers that have become free.
  boost::asio::local::connect_pair(one, other);
  const auto was_given_up = [&](int number) { return connecting.contains(number) && !after.contains(number); };
  EXPECT_TRUE(was_given_up(one.native_handle()) || was_given_up(other.native_handle()));
  bool is_readable = false;
  one.async_wait(boost::asio::socket_base::wait_read, [&](boost::system::error_code) { is_readable = true; });
  client.reset();
  other.write_some(boost::asio::buffer("x", 1));
  loop.restart();
  for (int i = 0; i < 1'000 && !is_readable; ++i) loop.run_one_for(100ms);
  EXPECT_TRUE(is_readable);
}

}  // namespace
}  // namespace ragstone
