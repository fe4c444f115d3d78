#pragma once

#include "http/transfer.hpp"
#include <ragstone/async/detail/ring.hpp>
#include <ragstone/http/http_client.hpp>

#include <cstddef>
#include <list>
#include <memory>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <curl/curl.h>

namespace ragstone::detail {

/// A libcurl multi handle on Asio: sockets become descriptors of the executor, curl's timeout becomes a timer. While no
/// transfer runs, nothing waits, so that an idle client does not keep a loop from ending.
///
/// All its transfers go to one server. More of them than there may be connections wait here, in order, and cost little:
/// libcurl's own queue forgets waiting transfers where others are removed (seen in 7.88), and each has buffers.
///
/// All functions run on executor(), which is serial; those that end in _soon() may be called from anywhere.
class HttpDriver : public std::enable_shared_from_this<HttpDriver> {
 public:
  HttpDriver(boost::asio::any_io_executor executor, HttpOptions options);
  HttpDriver(const HttpDriver&) = delete;
  HttpDriver& operator=(const HttpDriver&) = delete;
  ~HttpDriver();

  const HttpOptions& options() const noexcept { return options_; }
  const boost::asio::any_io_executor& executor() const noexcept { return executor_; }

  void start_soon(std::shared_ptr<HttpTransfer> transfer);
  void abort_soon(std::shared_ptr<HttpTransfer> transfer);
  void resume_soon(std::shared_ptr<HttpTransfer> transfer);
  void watch_soon(std::shared_ptr<HttpTransfer> transfer);

  void on_received(std::size_t bytes) noexcept { received_ += bytes; }

 private:
  class Socket;
  using Limits = std::set<std::pair<HttpTransfer::Clock::time_point, HttpTransfer*>>;

  static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void*);
  static int on_timer(CURLM*, long timeout_ms, void* self);
  static curl_socket_t open_socket(void* self, curlsocktype, curl_sockaddr* address);
  static int close_socket(void* self, curl_socket_t fd);

  void start(std::shared_ptr<HttpTransfer> transfer);
  void begin(const std::shared_ptr<HttpTransfer>& transfer);
  void begin_waiting_soon();
  void begin_waiting();
  void abort(const std::shared_ptr<HttpTransfer>& transfer);
  void resume(const std::shared_ptr<HttpTransfer>& transfer);
  void watch(const std::shared_ptr<HttpTransfer>& transfer);
  CURL* idle_easy();
  void act(curl_socket_t fd, int events);
  void collect();
  void detach(HttpTransfer& transfer);
  void watch_limits();
  void check_limits();
  void set_due(long timeout_ms);
  void watch_due();
  void forget(curl_socket_t fd);
  void forget_unconnected(const HttpTransfer& transfer);
  void arm(const std::shared_ptr<Socket>& socket);
  void add_ready(const std::shared_ptr<Socket>& socket, int events);
  void serve_one_later();
  void serve_one();
  bool is_fast(Socket& socket) const;
  void gather(const std::shared_ptr<Socket>& socket);
  void rest();

  boost::asio::any_io_executor executor_;
  const HttpOptions options_;
  boost::asio::steady_timer timer_;
  HttpTransfer::Clock::time_point due_ = HttpTransfer::Clock::time_point::max();     ///< When libcurl wants its turn.
  HttpTransfer::Clock::time_point expiry_ = HttpTransfer::Clock::time_point::max();  ///< The timer's, perhaps earlier.
  boost::asio::steady_timer limit_timer_;
  HttpTransfer::Clock::time_point limit_expiry_ = HttpTransfer::Clock::time_point::max();
  std::unordered_map<curl_socket_t, std::shared_ptr<Socket>> sockets_;
  Ring<std::shared_ptr<Socket>> ready_;
  bool serving_ = false;      ///< There is a serve_one() to come.
  std::size_t received_ = 0;  ///< Bytes of bodies in the present turn of serve_one().
  std::unordered_map<HttpTransfer*, std::shared_ptr<HttpTransfer>> transfers_;  ///< Running and waiting.
  std::list<HttpTransfer*> waiting_;
  std::size_t running_ = 0;
  bool beginning_ = false;  ///< There is a begin_waiting() to come.
  Limits limits_;
  std::vector<CURL*> idle_;
  bool uses_tls_ = false;
  CURLM* multi_ = nullptr;
};

}  // namespace ragstone::detail
