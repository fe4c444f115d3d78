#pragma once

#include "http/doorbell.hpp"
#include <ragstone/async/detail/gate.hpp>
#include <ragstone/async/task.hpp>
#include <ragstone/base/error.hpp>
#include <ragstone/http/http_client.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <curl/curl.h>

namespace ragstone::detail {

class HttpDriver;

/// One request and its reply, between the coroutine that wants it and the driver that carries it out; they may live on
/// different executors.
class HttpTransfer : public std::enable_shared_from_this<HttpTransfer> {
 public:
  using Clock = std::chrono::steady_clock;

  /// `streams`: bytes are announced as they come, and the exchange pauses while many are unread.
  HttpTransfer(std::shared_ptr<HttpDriver> driver, HttpRequest request, bool streams,
               boost::asio::any_io_executor reader);

  // The reader's side.

  void start();
  /// Closes the exchange, if it is open, and lets nobody wake the reader any more.
  void abandon() noexcept;
  Task<void> wait_for_head(CallContext context);
  Task<void> wait_for_end(CallContext context);
  Task<void> wait_for_bytes(CallContext context);
  bool take(std::string& into);
  bool ended() const;
  /// Fixed once wait_for_head() returned.
  int status() const noexcept { return status_; }
  const HttpHeaders& headers() const noexcept { return headers_; }
  void set_idle_timeout(std::chrono::milliseconds timeout);
  const HttpRequest& request() const noexcept { return request_; }
  bool streams() const noexcept { return streams_; }
  HttpDriver& driver() const noexcept { return driver_; }
  /// The reader is gone.
  bool abandoned() const noexcept;

  // The driver's side, on its executor.

  std::size_t on_header(std::string_view line) noexcept;
  std::size_t on_body(std::string_view bytes) noexcept;
  void on_sent() noexcept;
  void on_resumed() noexcept;
  void finish(std::exception_ptr error) noexcept;
  /// `proxy_status`: what a proxy answered to CONNECT, or 0.
  void finish(CURLcode code, long proxy_status) noexcept;
  /// When the transfer has failed unless something happens, and how.
  Clock::time_point limit() const noexcept;
  std::exception_ptr limit_error() const;
  /// When to look at limit() again: it comes nearer when the transfer enters another phase.
  Clock::time_point next_check() const noexcept;
  /// Why an address was refused; the connection's own error says nothing of it.
  void refuse(std::string reason);

  CURL* easy = nullptr;          ///< Null while it waits for its turn.
  curl_slist* fields = nullptr;  ///< Owned by the driver.
  std::string proxy;             ///< That it goes through; empty: none.
  Clock::time_point scheduled{};
  std::list<HttpTransfer*>::iterator place;  ///< In the driver's queue, while it waits.
  std::vector<curl_socket_t> opened;         ///< For it; some may be closed already.
  bool waiting = false;
  bool paused = false;

 private:
  enum class Phase { connecting, sent, head, waiting_for_body, body };

  template <class Ready>
  Task<void> wait_until(Ready ready, CallContext context, const char* what);
  void make_room(std::size_t more);
  Error error_of(CURLcode code, long proxy_status) const;
  std::string described() const;

  HttpDriver& driver_;
  std::shared_ptr<HttpDriver> owner_;  ///< Of the driver, until the reader is gone: the driver owns running transfers.
  const HttpRequest request_;
  const bool streams_;
  Doorbell bell_;
  std::atomic<std::chrono::milliseconds> idle_timeout_;  ///< Of the body.

  // On the driver's executor.
  Phase phase_ = Phase::connecting;
  Clock::time_point begun_ = Clock::now();
  Clock::time_point active_ = begun_;
  std::size_t header_bytes_ = 0;
  std::uint64_t body_bytes_ = 0;
  std::string refused_;
  std::exception_ptr own_error_;  ///< Why a callback ended the transfer.

  mutable std::mutex mutex_;
  int status_ = 0;
  HttpHeaders headers_;
  bool has_head_ = false;
  bool has_ended_ = false;
  bool wants_resume_ = false;
  bool abandoned_ = false;
  std::string body_;
  std::exception_ptr error_;
};

/// Abandons a transfer when the coroutine that owns it ends, in whatever way.
class TransferOwner {
 public:
  explicit TransferOwner(std::shared_ptr<HttpTransfer> transfer) : transfer_(std::move(transfer)) {}
  TransferOwner(const TransferOwner&) = delete;
  TransferOwner& operator=(const TransferOwner&) = delete;
  ~TransferOwner() {
    if (transfer_) transfer_->abandon();
  }
  HttpTransfer* operator->() const noexcept { return transfer_.get(); }
  std::shared_ptr<HttpTransfer> release() noexcept { return std::move(transfer_); }

 private:
  std::shared_ptr<HttpTransfer> transfer_;
};

}  // namespace ragstone::detail
