#include "http/ascii_case.hpp"
#include "http/driver_pool.hpp"
#include "http/proxy_choice.hpp"
#include "http/transfer.hpp"
#include "http/url.hpp"
#include <ragstone/async/deadline.hpp>
#include <ragstone/async/runtime.hpp>
#include <ragstone/http/http_client.hpp>

#include <algorithm>
#include <cctype>
#include <optional>

#include <boost/asio/this_coro.hpp>

namespace ragstone {
namespace {

using detail::same_name;
using detail::Url;

/// Through a proxy the connection's address says nothing; the URL's may.
void check_literal_address(const Url& url, const HttpOptions& options) {
  if (detail::proxy_for(url, options).empty()) return;
  std::string_view host = url.host();
  if (host.ends_with('.')) host.remove_suffix(1);
  const auto address = parse_ip(host);
  if (address && !options.addresses.allows(*address))
    throw Error(Errc::rejected, detail::without_query(url.text()) + ": its address is " + name_of(classify(*address)) +
                                    "; for a server of your own, allow it by AddressPolicy::with_local()");
}

HttpRequest checked(HttpRequest request, const HttpOptions& options) {
  const Url url = Url::parse(request.url);
  check_literal_address(url, options);
  request.url = url.text();
  return request;
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

[[noreturn]] void refuse(const std::string& url, const std::string& why) {
  throw Error(Errc::rejected, detail::without_query(url) + ": " + why);
}

/// The request to send next. Fields that may carry credentials stay behind at another origin.
HttpRequest follow(HttpRequest request, int status, std::string_view location) {
  const Url from = Url::parse(request.url);
  Url to;
  try {
    to = from.resolve(std::string(location));
  } catch (const Error&) {
    refuse(request.url, "it redirects to what is no http or https URL");
  }
  if (from.is_https() && !to.is_https()) refuse(request.url, "it redirects from https to http");
  const bool safe = request.method == "GET" || request.method == "HEAD";
  const bool same_origin = from.origin() == to.origin();
  if (!safe && !same_origin)
    refuse(request.url, "it redirects a " + request.method + " to another origin, " + to.origin());
  if (status == 303 && !safe) {
    request.method = "GET";
    request.body.clear();
  }
  if (!same_origin) {
    HttpHeaders kept;
    for (const auto& [name, value] : request.headers)
      for (const std::string_view harmless : {"Accept", "Accept-Language"})
        if (same_name(name, harmless)) kept.add(name, value);
    request.headers = std::move(kept);
    request.bearer = Secret();
  }
  request.url = to.text();
  return request;
}

/// The request that a reply redirects to after so many others; none if it is the reply.
std::optional<HttpRequest> redirected(const HttpRequest& request, int status, const HttpHeaders& headers,
                                      std::uint32_t hops, const HttpOptions& options) {
  const std::string_view location = is_redirect(status) ? headers.find("location") : std::string_view();
  if (location.empty()) return std::nullopt;
  if (hops == options.max_redirects)
    refuse(request.url, "more than " + std::to_string(hops) + " redirects (max_redirects)");
  HttpRequest next = follow(request, status, location);
  check_literal_address(Url::parse(next.url), options);
  return next;
}

std::shared_ptr<detail::HttpTransfer> new_transfer(detail::DriverPool& drivers, HttpRequest request, bool streams,
                                                   const boost::asio::any_io_executor& executor) {
  auto driver = drivers.driver(Url::parse(request.url).origin(), request.bearer);
  return std::make_shared<detail::HttpTransfer>(std::move(driver), std::move(request), streams, executor);
}

/// Takes the request, and gives it back if the reply redirects it.
Task<HttpResponse> exchange(std::shared_ptr<detail::DriverPool> drivers, HttpRequest& request, CallContext context) {
  const boost::asio::any_io_executor executor = co_await boost::asio::this_coro::executor;
  const detail::TransferOwner transfer(new_transfer(*drivers, std::move(request), false, executor));
  transfer->start();
  co_await transfer->wait_for_end(context);
  HttpResponse response;
  response.status = transfer->status();
  response.url = transfer->request().url;
  response.headers = transfer->headers();
  transfer->take(response.body);
  if (is_redirect(response.status)) request = transfer->request();
  co_return response;
}

}  // namespace

std::string_view HttpHeaders::find(std::string_view name) const noexcept {
  for (const auto& [field, value] : fields_)
    if (same_name(field, name)) return value;
  return {};
}

HttpStream& HttpStream::operator=(HttpStream&& other) noexcept {
  if (this != &other) {
    if (transfer_) transfer_->abandon();
    transfer_ = std::move(other.transfer_);
  }
  return *this;
}

HttpStream::~HttpStream() {
  if (transfer_) transfer_->abandon();
}

int HttpStream::status() const noexcept { return transfer_ ? transfer_->status() : 0; }

const HttpHeaders& HttpStream::headers() const noexcept {
  static const HttpHeaders none;
  return transfer_ ? transfer_->headers() : none;
}

void HttpStream::set_idle_timeout(std::chrono::milliseconds timeout) {
  if (timeout.count() <= 0)
    throw Error(Errc::invalid_argument, "HttpStream: an idle timeout must be above 0; for no limit give a long one");
  if (transfer_) transfer_->set_idle_timeout(timeout);
}

namespace {

void require(const std::shared_ptr<detail::HttpTransfer>& transfer) {
  if (!transfer) throw Error(Errc::closed, "HTTP reply: the stream is an empty handle");
}

}  // namespace

Task<void> HttpStream::wait(CallContext context) {
  require(transfer_);
  return transfer_->wait_for_bytes(std::move(context));
}

bool HttpStream::take(std::string& into) {
  require(transfer_);
  return transfer_->take(into);
}

bool HttpStream::ended() const { return !transfer_ || transfer_->ended(); }

HttpClient::HttpClient(Runtime& runtime, HttpOptions options)
    : drivers_(std::make_shared<detail::DriverPool>(runtime.serial_executor(), std::move(options))) {}

const HttpOptions& HttpClient::options() const noexcept {
  static const HttpOptions none;
  return drivers_ ? drivers_->options() : none;
}

namespace {

void require(const std::shared_ptr<detail::DriverPool>& drivers) {
  if (!drivers) throw Error(Errc::closed, "HTTP request: the client is an empty handle");
}

Task<HttpResponse> fetch_from(std::shared_ptr<detail::DriverPool> drivers, HttpRequest request, CallContext context) {
  require(drivers);
  request = checked(std::move(request), drivers->options());
  for (std::uint32_t hops = 0;; ++hops) {
    auto response = co_await exchange(drivers, request, context);
    std::optional<HttpRequest> next = redirected(request, response.status, response.headers, hops, drivers->options());
    if (!next) co_return response;
    request = std::move(*next);
  }
}

Task<HttpStream> open_at(std::shared_ptr<detail::DriverPool> drivers, HttpRequest request, CallContext context) {
  require(drivers);
  request = checked(std::move(request), drivers->options());
  const boost::asio::any_io_executor executor = co_await boost::asio::this_coro::executor;
  for (std::uint32_t hops = 0;; ++hops) {
    detail::TransferOwner transfer(new_transfer(*drivers, std::move(request), true, executor));
    transfer->start();
    co_await transfer->wait_for_head(context);
    std::optional<HttpRequest> next =
        redirected(transfer->request(), transfer->status(), transfer->headers(), hops, drivers->options());
    if (!next) co_return HttpStream(transfer.release());
    request = std::move(*next);
  }
}

}  // namespace

Task<HttpResponse> HttpClient::fetch(HttpRequest request, CallContext context) const {
  return fetch_from(drivers_, std::move(request), std::move(context));
}

Task<HttpStream> HttpClient::open(HttpRequest request, CallContext context) const {
  return open_at(drivers_, std::move(request), std::move(context));
}

}  // namespace ragstone
