#pragma once

#include "http/driver.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <curl/curl.h>
#include <sys/stat.h>

namespace ragstone::detail {

/// A connection's socket, or one of libcurl's own. Registered with the reactor once it is waited for: libcurl (7.88)
/// may close one before that without a word.
class HttpDriver::Socket {
 public:
  Socket(const boost::asio::any_io_executor& executor, curl_socket_t number, bool connection)
      : fd(number), descriptor(executor), gathering(executor), is_connection(connection), inode_(inode(number)) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { forget(); }

  void register_once() {
    if (!descriptor.is_open() && !forgotten_) descriptor.assign(fd);
  }

  /// Takes it out of the reactor, so that what arrives wakes nobody up; register_once() brings it back. Its waits are
  /// aborted. The descriptor stays open: it is libcurl's to close.
  void unregister() noexcept {
    if (!descriptor.is_open()) return;
    try {
      descriptor.release();
    } catch (...) {  // release() throws only if it was not open
    }
  }

  void forget() noexcept {
    forgotten_ = true;
    wanted = 0;
    unregister();
  }

  bool is_forgotten() const noexcept { return forgotten_; }

  /// libcurl (7.88) closes a socket whose connection is not there yet by itself, instead of by close_socket(). The
  /// number may then become another descriptor's, in the same reactor even: it has to be forgotten at once.
  bool was_closed() const noexcept { return !connected && inode(fd) != inode_; }

  const curl_socket_t fd;
  boost::asio::posix::stream_descriptor descriptor;
  boost::asio::steady_timer gathering;
  const bool is_connection;
  const HttpTransfer* opener = nullptr;  ///< The transfer that it was opened for, which may be gone.
  bool connected = false;  ///< Something was read, or is to be: a connection is closed by close_socket() from now on.
  int wanted = 0;
  bool reading = false;
  bool writing = false;
  bool gathers = false;                          ///< It is not registered until gathering ends.
  HttpTransfer::Clock::time_point read_at = {};  ///< When something was last read, and more is to come.
  int ready = 0;                                 ///< Events that wait in ready_.

 private:
  /// 0 if the descriptor is none.
  static ino_t inode(int fd) noexcept {
    struct stat status {};
    return ::fstat(fd, &status) == 0 ? status.st_ino : 0;
  }

  const ino_t inode_;
  bool forgotten_ = false;
};

}  // namespace ragstone::detail
