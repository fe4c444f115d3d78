#include "http/transfer.hpp"

#include "http/driver.hpp"
#include "http/url.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace ragstone::detail {

namespace asio = boost::asio;

namespace {

// A stream whose reader is slow stops reading from its connection beyond this.
constexpr std::size_t kUnreadBytes = 256 << 10;

std::string seconds(std::chrono::milliseconds time) {
  std::string text = std::to_string(static_cast<double>(time.count()) / 1e3);
  text.resize(text.find('.') + 2);
  return text + " s";
}

}  // namespace

HttpTransfer::HttpTransfer(std::shared_ptr<HttpDriver> driver, HttpRequest request, bool streams,
                           asio::any_io_executor reader)
    : driver_(*driver),
      owner_(std::move(driver)),
      request_(std::move(request)),
      streams_(streams),
      bell_(reader, reader == driver_.executor()),
      idle_timeout_(driver_.options().idle_timeout) {}

void HttpTransfer::start() { driver_.start_soon(shared_from_this()); }

void HttpTransfer::abandon() noexcept {
  bell_.silence();
  const auto owner = std::move(owner_);
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(abandoned_, true) || has_ended_) return;
  }
  owner->abort_soon(shared_from_this());
}

bool HttpTransfer::abandoned() const noexcept {
  const std::lock_guard lock(mutex_);
  return abandoned_;
}

template <class Ready>
Task<void> HttpTransfer::wait_until(Ready ready, CallContext context, const char* what) {
  const asio::cancellation_state cancellation = co_await asio::this_coro::cancellation_state;
  const auto deadline = context.deadline().value_or(Clock::time_point::max());
  boost::system::error_code ignored;
  auto token = asio::redirect_error(asio::use_awaitable, ignored);
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (ready(*this)) co_return;
      if (cancellation.cancelled() != asio::cancellation_type::none) throw_cancelled();
      if (deadline != Clock::time_point::max() && deadline <= Clock::now())
        throw Error(Errc::timeout, described() + ": the deadline passed " + what);
      bell_.timer().expires_at(deadline);
    }
    co_await bell_.timer().async_wait(token);
  }
}

void HttpTransfer::set_idle_timeout(std::chrono::milliseconds timeout) {
  idle_timeout_ = timeout;
  const HttpOptions& options = driver_.options();
  // Otherwise the limit is looked at often enough.
  if (timeout < std::min(options.first_byte_timeout, options.idle_timeout)) driver_.watch_soon(shared_from_this());
}

Task<void> HttpTransfer::wait_for_head(CallContext context) {
  const auto ready = [](HttpTransfer& self) { return self.has_head_ || self.has_ended_; };
  co_await wait_until(ready, std::move(context), "before the reply began");
  const std::lock_guard lock(mutex_);
  if (!has_head_ && error_) std::rethrow_exception(error_);
}

Task<void> HttpTransfer::wait_for_end(CallContext context) {
  const auto ready = [](HttpTransfer& self) { return self.has_ended_; };
  co_await wait_until(ready, std::move(context), "before the reply ended");
  const std::lock_guard lock(mutex_);
  if (error_) std::rethrow_exception(error_);
}

Task<void> HttpTransfer::wait_for_bytes(CallContext context) {
  const auto ready = [](HttpTransfer& self) { return !self.body_.empty() || self.has_ended_; };
  return wait_until(ready, std::move(context), "before the reply ended");
}

bool HttpTransfer::take(std::string& into) {
  into.clear();
  bool resume = false;
  {
    const std::lock_guard lock(mutex_);
    if (body_.empty()) {
      if (has_ended_ && error_) std::rethrow_exception(error_);
      return false;
    }
    into.swap(body_);
    resume = std::exchange(wants_resume_, false);
  }
  if (resume) driver_.resume_soon(shared_from_this());
  return true;
}

bool HttpTransfer::ended() const {
  const std::lock_guard lock(mutex_);
  return has_ended_ && !error_ && body_.empty();
}

std::size_t HttpTransfer::on_header(std::string_view line) noexcept try {
  active_ = Clock::now();
  if (phase_ != Phase::body) phase_ = Phase::head;
  header_bytes_ += line.size();
  if (header_bytes_ > driver_.options().max_header_bytes) {
    own_error_ = std::make_exception_ptr(
        Error(Errc::limit_exceeded, described() + ": the reply's headers are longer than " +
                                        std::to_string(driver_.options().max_header_bytes) + " bytes"));
    return 0;
  }
  const std::size_t size = line.size();
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  const std::lock_guard lock(mutex_);
  if (has_head_) return size;  // a trailer; nobody needs them
  if (line.starts_with("HTTP/")) {
    headers_.clear();
    const std::size_t space = line.find(' ');
    status_ = 0;
    if (space != line.npos) std::from_chars(line.data() + space + 1, line.data() + line.size(), status_);
  } else if (line.empty()) {
    has_head_ = status_ >= 200;
    if (has_head_) phase_ = Phase::waiting_for_body;
    if (has_head_ && streams_) bell_.ring();
  } else if (const std::size_t colon = line.find(':'); colon != line.npos) {
    const std::string_view name = line.substr(0, colon);
    std::string_view value = line.substr(colon + 1);
    while (value.starts_with(' ') || value.starts_with('\t')) value.remove_prefix(1);
    while (value.ends_with(' ') || value.ends_with('\t')) value.remove_suffix(1);
    headers_.add(std::string(name), std::string(value));
  }
  return size;
} catch (...) {
  own_error_ = std::current_exception();
  return 0;
}

std::size_t HttpTransfer::on_body(std::string_view bytes) noexcept try {
  active_ = Clock::now();
  phase_ = Phase::body;
  driver_.on_received(bytes.size());
  if (body_bytes_ + bytes.size() > driver_.options().max_body_bytes) {
    own_error_ = std::make_exception_ptr(Error(
        Errc::limit_exceeded,
        described() + ": the reply is longer than " + std::to_string(driver_.options().max_body_bytes) + " bytes"));
    return 0;
  }
  const std::lock_guard lock(mutex_);
  if (streams_ && !body_.empty() && body_.size() + bytes.size() > kUnreadBytes) {
    paused = wants_resume_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  body_bytes_ += bytes.size();
  const bool was_empty = body_.empty();
  make_room(bytes.size());
  body_ += bytes;
  if (streams_ && was_empty) bell_.ring();
  return bytes.size();
} catch (...) {
  own_error_ = std::current_exception();
  return 0;
}

/// By doubling a reply would take up to three times its size while it grows. Here the blocks that are outgrown are
/// small beside the cap, and the last one's pages cost nothing before they are filled.
void HttpTransfer::make_room(std::size_t more) {
  const std::uint64_t needed = body_.size() + more;
  const std::uint64_t cap = driver_.options().max_body_bytes;
  if (streams_ || needed <= body_.capacity()) return;
  body_.reserve(static_cast<std::size_t>(needed > cap / 16 ? cap : std::min(2 * needed, cap / 16)));
}

void HttpTransfer::on_sent() noexcept {
  phase_ = Phase::sent;
  active_ = Clock::now();
}

void HttpTransfer::on_resumed() noexcept {
  paused = false;
  active_ = Clock::now();
}

void HttpTransfer::refuse(std::string reason) { refused_ = std::move(reason); }

void HttpTransfer::finish(std::exception_ptr error) noexcept {
  const std::lock_guard lock(mutex_);
  if (has_ended_) return;
  has_ended_ = true;
  error_ = std::move(error);
  bell_.ring();
}

void HttpTransfer::finish(CURLcode code, long proxy_status) noexcept try {
  if (own_error_) {
    finish(own_error_);
  } else if (code == CURLE_OK) {
    finish(has_head_ ? std::exception_ptr() : std::make_exception_ptr(error_of(CURLE_GOT_NOTHING, proxy_status)));
  } else {
    finish(std::make_exception_ptr(error_of(code, proxy_status)));
  }
} catch (...) {
  finish(std::current_exception());
}

HttpTransfer::Clock::time_point HttpTransfer::limit() const noexcept {
  const HttpOptions& options = driver_.options();
  const auto total = begun_ + options.total_timeout;
  if (paused) return total;  // the reader takes its time, not the server
  switch (phase_) {
    case Phase::connecting:
      break;  // libcurl has its own limit for that
    case Phase::sent:
    case Phase::waiting_for_body:
      return std::min(total, active_ + options.first_byte_timeout);
    case Phase::head:
      return std::min(total, active_ + options.idle_timeout);
    case Phase::body:
      return std::min(total, active_ + idle_timeout_.load());
  }
  return total;
}

HttpTransfer::Clock::time_point HttpTransfer::next_check() const noexcept {
  const HttpOptions& options = driver_.options();
  return std::min(limit(),
                  Clock::now() + std::min({options.first_byte_timeout, options.idle_timeout, idle_timeout_.load()}));
}

std::exception_ptr HttpTransfer::limit_error() const {
  const HttpOptions& options = driver_.options();
  std::string what = described();
  if (Clock::now() >= begun_ + options.total_timeout) {
    what += ": took longer than " + seconds(options.total_timeout) + " (total_timeout)";
  } else if (phase_ == Phase::sent) {
    what += ": no reply within " + seconds(options.first_byte_timeout) + " (first_byte_timeout)";
  } else if (phase_ == Phase::waiting_for_body) {
    what += ": nothing after the reply's head within " + seconds(options.first_byte_timeout) + " (first_byte_timeout)";
  } else {
    const auto timeout = phase_ == Phase::body ? idle_timeout_.load() : options.idle_timeout;
    what += ": the reply stalled for " + seconds(timeout) + " (idle_timeout)";
  }
  return std::make_exception_ptr(Error(Errc::transient, what));
}

std::string HttpTransfer::described() const { return request_.method + " " + without_query(request_.url); }

Error HttpTransfer::error_of(CURLcode code, long proxy_status) const {
  const std::string what = described() + ": ";
  if (proxy_status >= 300)
    return Error(proxy_status < 500 ? Errc::rejected : Errc::transient,
                 what + "the proxy answered with status " + std::to_string(proxy_status) + " and opened no tunnel");
  if (!refused_.empty() && (code == CURLE_COULDNT_CONNECT || code == CURLE_ABORTED_BY_CALLBACK))
    return Error(Errc::rejected, what + "not connected, since " + refused_ +
                                     "; for a server of your own, allow it by AddressPolicy::with_local()");
  switch (code) {
    case CURLE_URL_MALFORMAT:
      return Error(Errc::invalid_argument, what + "the URL is not usable (" + curl_easy_strerror(code) + ")");
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CERTPROBLEM:
      return Error(Errc::rejected, what + "the server's certificate is not trusted (" + curl_easy_strerror(code) +
                                       "); an authority of your own can be named by HttpOptions::ca_file");
    case CURLE_UNSUPPORTED_PROTOCOL:  // HTTP/0.9
    case CURLE_WEIRD_SERVER_REPLY:
      return Error(Errc::transient, what + "the reply is no HTTP, or broke off at its begin");
    case CURLE_OUT_OF_MEMORY:
      // Before 8.6 libcurl says this also of a header line beyond its own limit of 100 KiB.
      if (phase_ == Phase::connecting || has_head_) throw std::bad_alloc();
      return Error(Errc::limit_exceeded, what + "a line of the reply's headers is too long");
#if LIBCURL_VERSION_NUM >= 0x080600
    case CURLE_TOO_LARGE:
      return Error(Errc::limit_exceeded, what + "a line of the reply's headers is too long");
#endif
    case CURLE_OPERATION_TIMEDOUT:
      return Error(Errc::transient,
                   what + "no connection within " + seconds(driver_.options().connect_timeout) + " (connect_timeout)");
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return Error(Errc::transient, what + "the reply broke off (" + curl_easy_strerror(code) + ")");
    default:
      return Error(Errc::transient, what + curl_easy_strerror(code));
  }
}

}  // namespace ragstone::detail
