#include "http/driver.hpp"

#include "http/driver_socket.hpp"
#include "http/easy_options.hpp"
#include "http/proxy_choice.hpp"
#include "http/sigpipe_guard.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <optional>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ragstone::detail {

namespace asio = boost::asio;

namespace {

using Clock = HttpTransfer::Clock;

/// Small pieces that follow each other faster than this are read together: waking up costs more than a token does.
constexpr std::chrono::microseconds kGatherTime{250};
constexpr std::size_t kSmallRead = 16 << 10;

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* transfer) {
  return static_cast<HttpTransfer*>(transfer)->on_header({data, size * count});
}

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* transfer) {
  return static_cast<HttpTransfer*>(transfer)->on_body({data, size * count});
}

int on_ready_to_send(void* transfer, char*, char*, int, int) {
  static_cast<HttpTransfer*>(transfer)->on_sent();
  return CURL_PREREQFUNC_OK;
}

std::optional<IpAddress> address_of(const curl_sockaddr& address) {
  IpAddress ip{};
  if (address.family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &address.addr, sizeof v4);
    ip[10] = ip[11] = 0xFF;
    std::memcpy(ip.data() + 12, &v4.sin_addr, 4);
    return ip;
  }
  if (address.family == AF_INET6 && address.addrlen >= sizeof(sockaddr_in6)) {
    sockaddr_in6 v6;
    std::memcpy(&v6, &address.addr, sizeof v6);
    std::memcpy(ip.data(), &v6.sin6_addr, 16);
    return ip;
  }
  return std::nullopt;
}

}  // namespace

HttpDriver::HttpDriver(asio::any_io_executor executor, HttpOptions options)
    : executor_(executor), options_(std::move(options)), timer_(executor), limit_timer_(executor) {
  init_curl();
  multi_ = curl_multi_init();
  if (multi_ == nullptr) throw std::bad_alloc();
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &HttpDriver::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &HttpDriver::on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(options_.max_idle_connections));
}

HttpDriver::~HttpDriver() {
  const SigpipeGuard guard(uses_tls_);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, nullptr);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, nullptr);
  for (const auto& [transfer, owner] : transfers_) {
    if (transfer->easy == nullptr) continue;
    curl_multi_remove_handle(multi_, transfer->easy);
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->fields);
  }
  for (CURL* easy : idle_) curl_easy_cleanup(easy);
  curl_multi_cleanup(multi_);
}

int HttpDriver::on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) {
  auto& driver = *static_cast<HttpDriver*>(self);
  auto found = driver.sockets_.find(fd);
  if (what == CURL_POLL_REMOVE) {
    if (found == driver.sockets_.end()) return 0;
    found->second->wanted = 0;
    if (!found->second->is_connection || found->second->was_closed()) {
      driver.forget(fd);
    }
    return 0;
  }
  try {
    if (found != driver.sockets_.end() && found->second->was_closed()) {
      driver.forget(fd);
      found = driver.sockets_.end();
    }
    if (found == driver.sockets_.end())
      found = driver.sockets_.emplace(fd, std::make_shared<Socket>(driver.executor_, fd, false)).first;
    found->second->wanted = what;
    if ((what & CURL_POLL_IN) != 0) found->second->connected = true;
    if (found->second->gathers && what == CURL_POLL_IN) return 0;
    found->second->register_once();
    driver.arm(found->second);
  } catch (...) {
    return -1;
  }
  return 0;
}

int HttpDriver::on_timer(CURLM*, long timeout_ms, void* self) {
  static_cast<HttpDriver*>(self)->set_due(timeout_ms);
  return 0;
}

curl_socket_t HttpDriver::open_socket(void* self, curlsocktype, curl_sockaddr* address) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  HttpDriver& driver = transfer.driver();
  const auto ip = address_of(*address);
  // The address of a proxy was chosen by the program's owner.
  if (transfer.proxy.empty() && !(ip && driver.options_.addresses.allows(*ip))) {
    transfer.refuse(ip ? std::string("its address is ") + name_of(classify(*ip)) : "its address is of no known family");
    return CURL_SOCKET_BAD;
  }
  const int fd = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (fd < 0) return CURL_SOCKET_BAD;
  try {
    driver.forget(fd);  // one that was closed before it was ever waited for
    const auto socket = std::make_shared<Socket>(driver.executor_, fd, true);
    socket->opener = &transfer;
    transfer.opened.push_back(fd);
    driver.sockets_.emplace(fd, socket);
  } catch (...) {
    ::close(fd);
    return CURL_SOCKET_BAD;
  }
  return fd;
}

int HttpDriver::close_socket(void* self, curl_socket_t fd) {
  static_cast<HttpDriver*>(self)->forget(fd);
  return ::close(fd);
}

void HttpDriver::forget(curl_socket_t fd) {
  const auto found = sockets_.find(fd);
  if (found == sockets_.end()) return;
  found->second->forget();
  sockets_.erase(found);
}

/// Before libcurl closes them without a word: their numbers may become other descriptors' at once.
void HttpDriver::forget_unconnected(const HttpTransfer& transfer) {
  for (const curl_socket_t fd : transfer.opened) {
    const auto found = sockets_.find(fd);
    if (found != sockets_.end() && found->second->opener == &transfer && !found->second->connected) forget(fd);
  }
}

void HttpDriver::start_soon(std::shared_ptr<HttpTransfer> transfer) {
  asio::dispatch(executor_, [self = shared_from_this(), transfer = std::move(transfer)] { self->start(transfer); });
}

void HttpDriver::abort_soon(std::shared_ptr<HttpTransfer> transfer) {
  asio::dispatch(executor_, [self = shared_from_this(), transfer = std::move(transfer)] { self->abort(transfer); });
}

void HttpDriver::resume_soon(std::shared_ptr<HttpTransfer> transfer) {
  asio::dispatch(executor_, [self = shared_from_this(), transfer = std::move(transfer)] { self->resume(transfer); });
}

void HttpDriver::watch_soon(std::shared_ptr<HttpTransfer> transfer) {
  asio::dispatch(executor_, [self = shared_from_this(), transfer = std::move(transfer)] { self->watch(transfer); });
}

/// Its limit may have come nearer than it was when it was scheduled.
void HttpDriver::watch(const std::shared_ptr<HttpTransfer>& transfer) {
  if (!transfers_.contains(transfer.get())) return;
  limits_.erase({transfer->scheduled, transfer.get()});
  transfer->scheduled = transfer->next_check();
  limits_.emplace(transfer->scheduled, transfer.get());
  watch_limits();
}

CURL* HttpDriver::idle_easy() {
  if (!idle_.empty()) {
    CURL* easy = idle_.back();
    idle_.pop_back();
    return easy;
  }
  CURL* easy = curl_easy_init();
  if (easy == nullptr) throw std::bad_alloc();
  try {
    lock_down(easy, options_);
  } catch (...) {
    curl_easy_cleanup(easy);
    throw;
  }
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &detail::on_header);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &detail::on_body);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, &on_ready_to_send);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &HttpDriver::open_socket);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, &HttpDriver::close_socket);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
  return easy;
}

void HttpDriver::start(std::shared_ptr<HttpTransfer> transfer) {
  if (transfer->abandoned()) return;
  try {
    transfers_.emplace(transfer.get(), transfer);
    transfer->scheduled = transfer->next_check();
    limits_.emplace(transfer->scheduled, transfer.get());
    if (running_ < options_.max_connections_per_host && waiting_.empty()) {
      begin(transfer);
    } else {
      transfer->place = waiting_.insert(waiting_.end(), transfer.get());
      transfer->waiting = true;
    }
  } catch (...) {
    detach(*transfer);
    transfer->finish(std::current_exception());
    return;
  }
  watch_limits();
  act(CURL_SOCKET_TIMEOUT, 0);  // sends it now, not when libcurl's timer gets its turn behind all that is ready
}

void HttpDriver::begin(const std::shared_ptr<HttpTransfer>& transfer) {
  transfer->easy = idle_easy();
  ++running_;
  transfer->fields = set_request(transfer->easy, transfer->request(), options_, transfer->streams());
  transfer->proxy =
      options_.proxy_from_environment ? proxy_for(Url::parse(transfer->request().url), options_) : options_.proxy;
  if (curl_easy_setopt(transfer->easy, CURLOPT_PROXY, transfer->proxy.c_str()) != CURLE_OK) throw std::bad_alloc();
  curl_easy_setopt(transfer->easy, CURLOPT_HEADERDATA, transfer.get());
  curl_easy_setopt(transfer->easy, CURLOPT_WRITEDATA, transfer.get());
  curl_easy_setopt(transfer->easy, CURLOPT_PREREQDATA, transfer.get());
  curl_easy_setopt(transfer->easy, CURLOPT_OPENSOCKETDATA, transfer.get());
  curl_easy_setopt(transfer->easy, CURLOPT_PRIVATE, transfer.get());
  uses_tls_ = uses_tls_ || transfer->request().url.starts_with("https:") || transfer->proxy.starts_with("https:");
  const SigpipeGuard guard(uses_tls_);
  if (curl_multi_add_handle(multi_, transfer->easy) != CURLM_OK) throw std::bad_alloc();
}

/// Not inside a transfer's end: many that fail at once would end inside each other.
void HttpDriver::begin_waiting_soon() {
  if (waiting_.empty() || std::exchange(beginning_, true)) return;
  asio::post(executor_, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->begin_waiting();
  });
}

void HttpDriver::begin_waiting() {
  beginning_ = false;
  bool any = false;
  while (running_ < options_.max_connections_per_host && !waiting_.empty()) {
    const auto owner = transfers_.at(waiting_.front());
    waiting_.pop_front();
    owner->waiting = false;
    try {
      begin(owner);
      any = true;
    } catch (...) {
      detach(*owner);
      owner->finish(std::current_exception());
    }
  }
  if (any) act(CURL_SOCKET_TIMEOUT, 0);
}

void HttpDriver::detach(HttpTransfer& transfer) {
  limits_.erase({transfer.scheduled, &transfer});
  if (std::exchange(transfer.waiting, false)) waiting_.erase(transfer.place);
  if (CURL* easy = std::exchange(transfer.easy, nullptr)) {
    --running_;
    forget_unconnected(transfer);
    curl_multi_remove_handle(multi_, easy);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, nullptr);
    curl_slist_free_all(std::exchange(transfer.fields, nullptr));
    constexpr std::size_t kIdleHandles = 256;
    if (idle_.size() < kIdleHandles) {
      idle_.push_back(easy);
    } else {
      curl_easy_cleanup(easy);
    }
  }
  transfers_.erase(&transfer);
  begin_waiting_soon();
  if (transfers_.empty()) {
    rest();
  } else {
    watch_due();
  }
}

void HttpDriver::abort(const std::shared_ptr<HttpTransfer>& transfer) {
  if (!transfers_.contains(transfer.get())) return;
  const SigpipeGuard guard(uses_tls_);
  detach(*transfer);
}

void HttpDriver::resume(const std::shared_ptr<HttpTransfer>& transfer) {
  if (transfer->easy == nullptr || !transfer->paused) return;
  transfer->on_resumed();
  {
    const SigpipeGuard guard(uses_tls_);
    curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
  }
  collect();
  watch_due();
}

void HttpDriver::act(curl_socket_t fd, int events) {
  {
    const SigpipeGuard guard(uses_tls_);
    int running = 0;
    curl_multi_socket_action(multi_, fd, events, &running);
  }
  collect();
  watch_due();
}

void HttpDriver::collect() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    HttpTransfer* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    long proxy_status = 0;
    curl_easy_getinfo(message->easy_handle, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
    const auto owner = transfers_.at(transfer);
    const SigpipeGuard guard(uses_tls_);
    detach(*transfer);
    transfer->finish(code, proxy_status);
  }
}

void HttpDriver::set_due(long timeout_ms) {
  due_ = timeout_ms < 0 ? Clock::time_point::max() : Clock::now() + std::chrono::milliseconds(timeout_ms);
}

/// libcurl puts its time off with each step of each transfer; the timer is not set again for that, only if it would
/// come too late.
void HttpDriver::watch_due() {
  if (expiry_ <= due_) return;
  expiry_ = due_;
  timer_.expires_at(due_);
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (error || !self) return;
    self->expiry_ = Clock::time_point::max();
    if (self->due_ <= Clock::now()) {
      self->due_ = Clock::time_point::max();
      self->act(CURL_SOCKET_TIMEOUT, 0);
    } else {
      self->watch_due();
    }
  });
}

void HttpDriver::watch_limits() {
  if (limits_.empty()) return;
  const auto first = limits_.begin()->first;
  if (limit_expiry_ <= first) return;
  limit_expiry_ = first;
  limit_timer_.expires_at(first);
  limit_timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    if (error) return;
    if (const auto self = weak.lock()) self->check_limits();
  });
}

void HttpDriver::check_limits() {
  limit_expiry_ = Clock::time_point::max();
  const auto now = Clock::now();
  while (!limits_.empty() && limits_.begin()->first <= now) {
    HttpTransfer* transfer = limits_.begin()->second;
    if (transfer->limit() > now) {  // something has happened since it was scheduled
      limits_.erase(limits_.begin());
      transfer->scheduled = transfer->next_check();
      limits_.emplace(transfer->scheduled, transfer);
      continue;
    }
    const auto owner = transfers_.at(transfer);
    auto error = transfer->limit_error();
    const SigpipeGuard guard(uses_tls_);
    detach(*transfer);
    transfer->finish(std::move(error));
  }
  watch_limits();
}

void HttpDriver::arm(const std::shared_ptr<Socket>& socket) {
  const auto wait = [&](int event, bool Socket::*waiting, int ready, asio::posix::stream_descriptor::wait_type type) {
    if ((socket->wanted & event) == 0 || (*socket).*waiting) return;
    socket->descriptor.async_wait(
        type, [weak = weak_from_this(), socket, event, waiting, ready](const boost::system::error_code& error) {
          (*socket).*waiting = false;
          const auto self = weak.lock();
          if (!self || !socket->descriptor.is_open() || (socket->wanted & event) == 0) return;
          if (error == asio::error::operation_aborted) {
            self->arm(socket);
          } else {
            self->add_ready(socket, error ? CURL_CSELECT_ERR : ready);
          }
        });
    (*socket).*waiting = true;
  };
  wait(CURL_POLL_IN, &Socket::reading, CURL_CSELECT_IN, asio::posix::stream_descriptor::wait_read);
  wait(CURL_POLL_OUT, &Socket::writing, CURL_CSELECT_OUT, asio::posix::stream_descriptor::wait_write);
}

/// One socket's events at a time go to libcurl, so that what they wake takes its turns in between: a call that follows
/// a reply is sent before the next reply is read. Served all at once, replies that come together would be followed by
/// calls that go out together, again and again, with the connections idle meanwhile.
void HttpDriver::add_ready(const std::shared_ptr<Socket>& socket, int events) {
  if (std::exchange(socket->ready, socket->ready | events) == 0) ready_.push_back(socket);
  if (!std::exchange(serving_, true)) serve_one_later();
}

void HttpDriver::serve_one_later() {
  asio::post(executor_, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->serve_one();
  });
}

void HttpDriver::serve_one() {
  const std::shared_ptr<Socket> socket = ready_.take_front();
  serving_ = !ready_.empty();
  if (serving_) serve_one_later();
  const int events = std::exchange(socket->ready, 0);
  if (socket->is_forgotten()) return;
  const int wanted = CURL_CSELECT_ERR | ((socket->wanted & CURL_POLL_IN) != 0 ? CURL_CSELECT_IN : 0) |
                     ((socket->wanted & CURL_POLL_OUT) != 0 ? CURL_CSELECT_OUT : 0);
  received_ = 0;
  if ((events & wanted) != 0) act(socket->fd, events & wanted);
  if (socket->is_forgotten() || socket->gathers) return;
  if ((events & CURL_CSELECT_IN) != 0 && is_fast(*socket)) {
    gather(socket);
  } else {
    arm(socket);
  }
}

bool HttpDriver::is_fast(Socket& socket) const {
  const auto now = Clock::now();
  const auto before = std::exchange(socket.read_at, now);
  return now - before < 2 * kGatherTime && received_ < kSmallRead && socket.wanted == CURL_POLL_IN;
}

void HttpDriver::gather(const std::shared_ptr<Socket>& socket) {
  socket->gathers = true;
  socket->unregister();
  socket->gathering.expires_after(kGatherTime);
  socket->gathering.async_wait([weak = weak_from_this(), socket](const boost::system::error_code&) {
    socket->gathers = false;
    const auto self = weak.lock();
    if (!self || socket->is_forgotten()) return;
    try {
      socket->register_once();
      self->arm(socket);
    } catch (...) {  // for want of memory
      self->gather(socket);
    }
  });
}

void HttpDriver::rest() {
  timer_.cancel();
  due_ = expiry_ = Clock::time_point::max();
  limit_timer_.cancel();
  limit_expiry_ = Clock::time_point::max();
  for (const auto& [fd, socket] : sockets_) {
    boost::system::error_code ignored;
    if (socket->gathers) socket->gathering.cancel();
    if (socket->reading || socket->writing) socket->descriptor.cancel(ignored);
  }
}

}  // namespace ragstone::detail
