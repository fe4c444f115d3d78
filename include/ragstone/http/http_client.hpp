#pragma once

#include <ragstone/async/call_context.hpp>
#include <ragstone/async/task.hpp>
#include <ragstone/http/address_policy.hpp>
#include <ragstone/http/secret.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace ragstone {

class Runtime;

namespace detail {
class DriverPool;
class HttpTransfer;
}  // namespace detail

/// Header fields in the order of the message; names may repeat.
class HttpHeaders {
 public:
  HttpHeaders() = default;

  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  void clear() noexcept { fields_.clear(); }
  /// The first value of a field, whatever the case of its name; empty if there is none. Valid until the next change.
  std::string_view find(std::string_view name) const noexcept;

  std::size_t size() const noexcept { return fields_.size(); }
  auto begin() const noexcept { return fields_.begin(); }
  auto end() const noexcept { return fields_.end(); }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

/// What an HttpClient does and refuses; limits are for each request.
class HttpOptions {
 public:
  HttpOptions() = default;

  // Limits of time are above 0.
  std::chrono::milliseconds connect_timeout{5'000};  ///< Name, connection and TLS.
  /// From the connection to the reply's first byte, and from its head to the first byte of its body.
  std::chrono::milliseconds first_byte_timeout{300'000};
  std::chrono::milliseconds idle_timeout{60'000};    ///< Between two pieces of a reply.
  std::chrono::milliseconds total_timeout{600'000};  ///< Of one exchange, with its wait for a connection.

  std::size_t max_header_bytes = 64 << 10;
  std::uint64_t max_body_bytes = 64 << 20;  ///< After decompression.
  std::uint32_t max_redirects = 5;          ///< Each is checked like the first URL.

  AddressPolicy addresses;  ///< Public ones only. Of what goes through a proxy: the addresses that URLs spell out.

  /// And exchanges at once, also over HTTP/2; further ones wait for their turn, in order. For each key that requests
  /// carry (HttpRequest::bearer), as the next.
  std::size_t max_connections_per_host = 256;
  std::size_t max_idle_connections = 256;
  bool http2 = true;  ///< Over TLS, where the server offers it.

  /// PEM file with the authorities to trust; empty: the system's. Certificates are always verified.
  std::string ca_file;
  /// "http://host:port"; empty: none. The environment's (https_proxy, no_proxy, ...) are used on request only; no_proxy
  /// lists names, domains and addresses, no ranges.
  std::string proxy;
  bool proxy_from_environment = false;

  std::string user_agent = "ragstone";
};

class HttpRequest {
 public:
  HttpRequest() = default;

  std::string method = "GET";
  std::string url;  ///< Absolute; http or https, without user and password.
  HttpHeaders headers;
  Secret bearer;  ///< If not empty: "Authorization: Bearer ..."; goes to no other origin than the URL's.
  /// Where `bearer` goes instead, as it is: "api-key", as Azure has it. Empty: Authorization.
  std::string key_header;
  std::string body;
};

class HttpResponse {
 public:
  HttpResponse() = default;

  int status = 0;
  std::string url;  ///< Where it came from after redirects.
  HttpHeaders headers;
  std::string body;  ///< Decompressed.
};

/// A reply whose body is still arriving. Dropping it closes the exchange. Used by one coroutine at a time.
class HttpStream {
 public:
  HttpStream() = default;
  explicit HttpStream(std::shared_ptr<detail::HttpTransfer> transfer) : transfer_(std::move(transfer)) {}
  HttpStream(HttpStream&&) noexcept = default;
  HttpStream& operator=(HttpStream&&) noexcept;
  ~HttpStream();

  int status() const noexcept;
  const HttpHeaders& headers() const noexcept;

  /// From now on instead of HttpOptions::idle_timeout, for this reply. Errors: Errc::invalid_argument if not above 0.
  void set_idle_timeout(std::chrono::milliseconds timeout);

  /// Waits until take() has something to say. Cancellation: terminal. Errors: Errc::timeout at the deadline;
  /// Errc::closed for an empty handle.
  Task<void> wait(CallContext context = {});
  /// Swaps the bytes that have arrived into `into`. False, and `into` is empty, if there are none: wait(), unless
  /// ended(). Errors: those of HttpClient::fetch(), once all bytes before were taken; a body that broke off is one;
  /// Errc::closed for an empty handle.
  bool take(std::string& into);
  /// The body came to its regular end, and all of it was taken.
  bool ended() const;

 private:
  std::shared_ptr<detail::HttpTransfer> transfer_;
};

/// HTTP(S) requests over pooled connections, on the event loop of a Runtime. libcurl does the work, locked down: http
/// and https only, certificates verified, connected addresses checked, no netrc, no cookies. Of the environment only a
/// proxy is used, and on request only; where SSLKEYLOGFILE is set, libcurl over OpenSSL opens that file, but no key
/// gets into it. No connection carries requests of two keys (HttpRequest::bearer; not those in other headers).
///
/// A cheap handle; copies share the connections. Thread-safe; the Runtime outlives all of them.
class HttpClient {
 public:
  HttpClient() = default;
  /// Errors: Errc::unsupported if libcurl lacks what is needed; Errc::invalid_argument for no connections.
  explicit HttpClient(Runtime& runtime, HttpOptions options = {});

  /// The whole reply, of whatever status; redirects of GET and HEAD are followed, others only within the origin (303 as
  /// a GET, RFC 9110).
  /// Cancellation: terminal, closes the exchange. Errors: Errc::invalid_argument (URL, header), Errc::rejected
  /// (address, certificate or redirect refused), Errc::limit_exceeded, Errc::transient (no connection, a reply that
  /// broke off, one of the options' time limits), Errc::timeout (the call's deadline), Errc::closed (empty handle).
  Task<HttpResponse> fetch(HttpRequest request, CallContext context = {}) const;

  /// The reply as soon as its head is there. Redirects and errors: as fetch().
  Task<HttpStream> open(HttpRequest request, CallContext context = {}) const;

  const HttpOptions& options() const noexcept;
  explicit operator bool() const noexcept { return drivers_ != nullptr; }

 private:
  std::shared_ptr<detail::DriverPool> drivers_;
};

static_assert(!std::is_aggregate_v<HttpHeaders> && !std::is_aggregate_v<HttpOptions> &&
              !std::is_aggregate_v<HttpRequest> && !std::is_aggregate_v<HttpResponse> &&
              !std::is_aggregate_v<HttpStream> && !std::is_aggregate_v<HttpClient>);

}  // namespace ragstone
