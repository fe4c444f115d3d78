#pragma once

#include <csignal>
#include <ctime>

namespace ragstone::detail {

/// Swallows the SIGPIPE that OpenSSL causes when it writes to a connection which the other side closed, in this thread
/// and this scope only; the process's own handling of the signal stays as it is.
class SigpipeGuard {
 public:
  explicit SigpipeGuard(bool active) noexcept : active_(active) {
    if (!active_) return;
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    active_ = sigismember(&pending, SIGPIPE) == 0;  // one that came before is not ours to swallow
    if (active_) pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  SigpipeGuard(const SigpipeGuard&) = delete;
  SigpipeGuard& operator=(const SigpipeGuard&) = delete;
  ~SigpipeGuard() {
    if (!active_) return;
    sigset_t pending;
    sigpending(&pending);
    const timespec no_time{};
    if (sigismember(&pending, SIGPIPE) == 1) sigtimedwait(&pipe_, nullptr, &no_time);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  bool active_;
  sigset_t pipe_{};
  sigset_t before_{};
};

}  // namespace ragstone::detail
