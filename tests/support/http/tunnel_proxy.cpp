#include "support/http/tunnel_proxy.hpp"

#include <mutex>
#include <thread>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace ragstone::test {

namespace asio = boost::asio;
using asio::ip::tcp;

class TunnelProxy::Core {
 public:
  explicit Core(int status) : status_(status), acceptor_(context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
    asio::co_spawn(context_, accept(), asio::detached);
    thread_ = std::thread([this] { context_.run(); });
  }
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;
  ~Core() {
    context_.stop();
    thread_.join();
  }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  using Socket = std::shared_ptr<tcp::socket>;

  asio::awaitable<void> accept() {
    while (true) {
      auto client = std::make_shared<tcp::socket>(co_await acceptor_.async_accept(asio::use_awaitable));
      asio::co_spawn(context_, serve(std::move(client)), asio::detached);
    }
  }

  asio::awaitable<void> serve(Socket client) {
    std::string head;
    auto bytes = asio::dynamic_buffer(head);
    co_await asio::async_read_until(*client, bytes, "\r\n\r\n", asio::use_awaitable);
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(head);
    }
    if (status_ != 200) {
      const std::string refusal = "HTTP/1.1 " + std::to_string(status_) + " No\r\nContent-Length: 0\r\n\r\n";
      co_await asio::async_write(*client, asio::buffer(refusal), asio::use_awaitable);
      co_return;
    }
    const std::size_t begin = head.find(' ') + 1;  // "CONNECT 127.0.0.1:PORT HTTP/1.1"
    const std::size_t colon = head.find(':', begin);
    const auto port = static_cast<std::uint16_t>(std::stoul(head.substr(colon + 1)));
    auto server = std::make_shared<tcp::socket>(context_);
    const tcp::endpoint there(asio::ip::address_v4::loopback(), port);
    co_await server->async_connect(there, asio::use_awaitable);
    const std::string ready = "HTTP/1.1 200 Connected\r\n\r\n";
    co_await asio::async_write(*client, asio::buffer(ready), asio::use_awaitable);
    asio::co_spawn(context_, relay(server, client), asio::detached);
    co_await relay(client, server);
  }

  static asio::awaitable<void> relay(Socket from, Socket to) {
    char buffer[16'384];
    boost::system::error_code ignored;
    try {
      while (true) {
        const std::size_t size = co_await from->async_read_some(asio::buffer(buffer), asio::use_awaitable);
        co_await asio::async_write(*to, asio::buffer(buffer, size), asio::use_awaitable);
      }
    } catch (const boost::system::system_error&) {  // one end closed
    }
    from->close(ignored);
    to->close(ignored);
  }

  const int status_;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  asio::io_context context_{1};
  tcp::acceptor acceptor_;
  std::thread thread_;
};

TunnelProxy::TunnelProxy(int status) : core_(std::make_unique<Core>(status)) {}
TunnelProxy::~TunnelProxy() = default;

std::string TunnelProxy::url() const { return "http://127.0.0.1:" + std::to_string(core_->port()); }
std::vector<std::string> TunnelProxy::requests() const { return core_->requests(); }

}  // namespace ragstone::test
