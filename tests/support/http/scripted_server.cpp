#include "support/http/scripted_server.hpp"

#include <algorithm>
#include <atomic>
#include <cctype>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/completion_condition.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace ragstone::test {

namespace asio = boost::asio;
using asio::ip::tcp;
using TlsStream = asio::ssl::stream<tcp::socket>;

namespace {

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

const char* reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 429:
      return "Too Many Requests";
    case 503:
      return "Service Unavailable";
    default:
      return "Whatever";
  }
}

void read_head(std::string_view head, ServerRequest& request) {
  const std::size_t line_end = head.find("\r\n");
  const std::string_view line = head.substr(0, line_end);
  const std::size_t first = line.find(' ');
  const std::size_t second = line.rfind(' ');
  request.method = line.substr(0, first);
  request.target = line.substr(first + 1, second - first - 1);
  head.remove_prefix(line_end + 2);
  while (!head.starts_with("\r\n")) {
    const std::size_t end = head.find("\r\n");
    const std::size_t colon = head.find(": ");
    if (colon < end) request.headers.emplace_back(head.substr(0, colon), head.substr(colon + 2, end - colon - 2));
    head.remove_prefix(end + 2);
  }
}

tcp::socket& socket_of(tcp::socket& stream) { return stream; }
tcp::socket& socket_of(TlsStream& stream) { return stream.next_layer(); }

}  // namespace

std::string ServerRequest::header(std::string_view name) const {
  for (const auto& [field, value] : headers)
    if (same_name(field, name)) return value;
  return {};
}

ServerReply ServerReply::text(int status, const std::string& body, const std::string& more_headers,
                              const std::string& type) {
  ServerReply reply;
  reply.send("HTTP/1.1 " + std::to_string(status) + " " + reason(status) + "\r\nContent-Type: " + type +
             "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + more_headers + "\r\n" + body);
  return reply;
}

ServerReply ServerReply::event_stream() {
  ServerReply reply;
  reply.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
  return reply;
}

ServerReply& ServerReply::chunk(const std::string& bytes) {
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return send(size + bytes + "\r\n");
}

ServerReply& ServerReply::repeat(std::string bytes, std::size_t times) {
  Send step;
  step.bytes = std::move(bytes);
  step.times = times;
  steps.push_back(std::move(step));
  return *this;
}

ServerReply& ServerReply::pause(std::chrono::milliseconds time) {
  Pause step;
  step.time = time;
  steps.push_back(step);
  return *this;
}

ServerReply& ServerReply::then(const ServerReply& other) {
  steps.insert(steps.end(), other.steps.begin(), other.steps.end());
  return *this;
}

ServerReply& ServerReply::close() {
  steps.push_back(Close());
  return *this;
}

ServerReply& ServerReply::reset() {
  Close step;
  step.reset = true;
  steps.push_back(step);
  return *this;
}

class ScriptedServer::Core {
 public:
  Core(Handler handler, const std::optional<ServerTls>& tls)
      : handler_(std::move(handler)), acceptor_(context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
    if (tls) {
      tls_.emplace(asio::ssl::context::tls_server);
      tls_->use_certificate_chain_file(tls->certificate.string());
      tls_->use_private_key_file(tls->key.string(), asio::ssl::context::pem);
    }
    port = acceptor_.local_endpoint().port();
    asio::co_spawn(context_, accept(), asio::detached);
    thread_ = std::thread([this] { context_.run(); });
  }
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;
  ~Core() {
    context_.stop();
    thread_.join();
  }

  bool secure() const noexcept { return tls_.has_value(); }

  std::uint16_t port = 0;
  template <class Condition>
  bool wait_for(Condition condition) {
    std::unique_lock lock(mutex_);
    // What the condition looks at may change without the server.
    for (int i = 0; i < 12'000; ++i)
      if (changed_.wait_for(lock, std::chrono::milliseconds(10), condition)) return true;
    return false;
  }

  std::chrono::duration<double> mean_lateness() const {
    return pauses_ == 0 ? std::chrono::duration<double>()
                        : std::chrono::duration<double>(late_.load()) / pauses_.load();
  }

  std::atomic<std::size_t> requests = 0;
  std::atomic<std::size_t> connections = 0;
  std::atomic<std::size_t> open = 0;

 private:
  asio::awaitable<void> accept() {
    while (true) {
      tcp::socket socket = co_await acceptor_.async_accept(asio::use_awaitable);
      socket.set_option(tcp::no_delay(true));
      const std::size_t number = ++connections;
      ++open;
      if (tls_) {
        TlsStream stream(std::move(socket), *tls_);
        asio::co_spawn(context_, serve_tls(std::move(stream), number), asio::detached);
      } else {
        asio::co_spawn(context_, serve_plain(std::move(socket), number), asio::detached);
      }
    }
  }

  asio::awaitable<void> serve_plain(tcp::socket socket, std::size_t number) {
    try {
      co_await serve(socket, number);
    } catch (const boost::system::system_error&) {  // the client went away
    }
    boost::system::error_code ignored;
    socket.close(ignored);
    tell([this] { --open; });
  }

  asio::awaitable<void> serve_tls(TlsStream stream, std::size_t number) {
    try {
      co_await stream.async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
      co_await serve(stream, number);
    } catch (const boost::system::system_error&) {
    }
    boost::system::error_code ignored;
    stream.next_layer().close(ignored);
    tell([this] { --open; });
  }

  template <class Change>
  void tell(Change change) {
    const std::lock_guard lock(mutex_);
    change();
    changed_.notify_all();
  }

  template <class Stream>
  asio::awaitable<void> serve(Stream& stream, std::size_t number) {
    std::string buffer;
    while (true) {
      auto bytes = asio::dynamic_buffer(buffer);
      const std::size_t head = co_await asio::async_read_until(stream, bytes, "\r\n\r\n", asio::use_awaitable);
      ServerRequest request;
      request.connection = number;
      tell([&] { request.number = ++requests; });
      read_head(std::string_view(buffer).substr(0, head), request);
      buffer.erase(0, head);
      const std::string length = request.header("content-length");
      const std::size_t size = length.empty() ? 0 : std::stoul(length);
      if (buffer.size() < size) {
        const auto missing = asio::transfer_exactly(size - buffer.size());
        auto rest = asio::dynamic_buffer(buffer);
        co_await asio::async_read(stream, rest, missing, asio::use_awaitable);
      }
      request.body = buffer.substr(0, size);
      buffer.erase(0, size);
      const ServerReply reply = handler_(request);
      for (const ServerReply::Step& step : reply.steps)
        if (co_await carry_out(stream, step)) co_return;
    }
  }

  /// True if the connection is to end.
  template <class Stream>
  asio::awaitable<bool> carry_out(Stream& stream, const ServerReply::Step& step) {
    using namespace asio::experimental::awaitable_operators;
    if (const auto* send = std::get_if<ServerReply::Send>(&step)) {
      const auto bytes = asio::buffer(send->bytes);
      for (std::size_t i = 0; i < send->times; ++i) co_await asio::async_write(stream, bytes, asio::use_awaitable);
      co_return false;
    }
    tcp::socket& socket = socket_of(stream);
    if (const auto* pause = std::get_if<ServerReply::Pause>(&step)) {
      asio::steady_timer timer(context_, pause->time);
      if (pause->time < kWatchedPause) {
        co_await timer.async_wait(asio::use_awaitable);
        late_ = late_.load() + (std::chrono::steady_clock::now() - timer.expiry());
        ++pauses_;
        co_return false;
      }
      const auto first = co_await (timer.async_wait(asio::use_awaitable) ||
                                   socket.async_wait(tcp::socket::wait_read, asio::use_awaitable));
      co_return first.index() == 1 && socket.available() == 0;
    }
    if (std::get<ServerReply::Close>(step).reset) socket.set_option(asio::socket_base::linger(true, 0));
    boost::system::error_code ignored;
    socket.close(ignored);
    co_return true;
  }

  // Shorter ones do not end when the client goes away: they are frequent, and watching costs more than they take.
  static constexpr std::chrono::milliseconds kWatchedPause{1'000};

  Handler handler_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<std::chrono::steady_clock::duration> late_{};
  std::atomic<std::size_t> pauses_ = 0;
  asio::io_context context_{1};
  tcp::acceptor acceptor_;
  std::optional<asio::ssl::context> tls_;
  std::thread thread_;
};

ScriptedServer::ScriptedServer(Handler handler, std::optional<ServerTls> tls)
    : core_(std::make_unique<Core>(std::move(handler), tls)) {}
ScriptedServer::~ScriptedServer() = default;

std::uint16_t ScriptedServer::port() const noexcept { return core_->port; }

std::string ScriptedServer::url(const std::string& path) const {
  return std::string(core_->secure() ? "https" : "http") + "://127.0.0.1:" + std::to_string(port()) + path;
}

std::size_t ScriptedServer::requests() const noexcept { return core_->requests; }
std::size_t ScriptedServer::connections() const noexcept { return core_->connections; }
std::size_t ScriptedServer::open_connections() const noexcept { return core_->open; }

bool ScriptedServer::wait_for_no_connection() const {
  return core_->wait_for([&] { return core_->open == 0; });
}

bool ScriptedServer::wait_for(const std::function<bool()>& condition) const { return core_->wait_for(condition); }

bool ScriptedServer::wait_for_requests(std::size_t count) const {
  return core_->wait_for([&] { return core_->requests >= count; });
}

std::chrono::duration<double> ScriptedServer::mean_lateness() const { return core_->mean_lateness(); }

}  // namespace ragstone::test
