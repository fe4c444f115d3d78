#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace ragstone::test {

/// A request as the server read it.
class ServerRequest {
 public:
  std::string method;
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::size_t connection = 0;  ///< Which of the connections, from 1 on.
  std::size_t number = 0;      ///< Which of all requests, from 1 on.

  /// The value of a header, whatever its name's case; empty if there is none.
  std::string header(std::string_view name) const;
};

/// What a server does with a request, step by step. Nothing is added to the bytes, so that replies may be as wrong as a
/// test likes.
class ServerReply {
 public:
  /// A regular reply. `more_headers`: whole lines.
  static ServerReply text(int status, const std::string& body, const std::string& more_headers = {},
                          const std::string& type = "application/json");
  /// The head of a chunked event stream, to be followed by event() and end_of_chunks().
  static ServerReply event_stream();

  ServerReply& send(std::string bytes) { return repeat(std::move(bytes), 1); }
  /// One chunk.
  ServerReply& chunk(const std::string& bytes);
  ServerReply& event(const std::string& data) { return chunk("data: " + data + "\n\n"); }
  ServerReply& end_of_chunks() { return send("0\r\n\r\n"); }
  /// Sends the same bytes again and again.
  ServerReply& repeat(std::string bytes, std::size_t times);
  ServerReply& pause(std::chrono::milliseconds time);
  /// Waits until the client goes away.
  ServerReply& hang() { return pause(std::chrono::hours(1)); }
  /// The steps of another reply.
  ServerReply& then(const ServerReply& other);
  ServerReply& close();
  /// Closes with RST.
  ServerReply& reset();

  class Send {
   public:
    std::string bytes;
    std::size_t times = 1;
  };
  class Pause {
   public:
    std::chrono::milliseconds time;
  };
  class Close {
   public:
    bool reset = false;
  };
  using Step = std::variant<Send, Pause, Close>;

  std::vector<Step> steps;
};

/// PEM files of a server's certificate chain and key.
class ServerTls {
 public:
  std::filesystem::path certificate;
  std::filesystem::path key;
};

/// An HTTP/1.1 server on loopback in a thread of its own that does what a test scripts. It proves only what it was told
/// to do: what real servers do, it knows from their documentation.
class ScriptedServer {
 public:
  /// Called in the server's thread.
  using Handler = std::function<ServerReply(const ServerRequest&)>;

  explicit ScriptedServer(Handler handler, std::optional<ServerTls> tls = std::nullopt);
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  ~ScriptedServer();

  std::uint16_t port() const noexcept;
  /// "http://127.0.0.1:PORT" and the path.
  std::string url(const std::string& path = {}) const;

  std::size_t requests() const noexcept;
  std::size_t connections() const noexcept;
  std::size_t open_connections() const noexcept;
  /// Wait until no connection is open, until so many requests have come, or until something holds, which is asked again
  /// whenever a connection ends; false after 5 s. A connection that its client has given up may be taken only later.
  bool wait_for_no_connection() const;
  bool wait_for_requests(std::size_t count) const;
  bool wait_for(const std::function<bool()>& condition) const;

  /// How much longer than asked for the pauses took, on average: what the server itself adds to a latency.
  std::chrono::duration<double> mean_lateness() const;

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace ragstone::test
