#pragma once

#include <sys/resource.h>

namespace ragstone::test {

/// While it lives, the system gives this process no more threads. Root is given them all the same: see
/// rerun_unprivileged().
class NoMoreThreads {
 public:
  NoMoreThreads() {
    ::getrlimit(RLIMIT_NPROC, &before_);
    rlimit none = before_;
    none.rlim_cur = 0;
    ::setrlimit(RLIMIT_NPROC, &none);
  }
  ~NoMoreThreads() { ::setrlimit(RLIMIT_NPROC, &before_); }
  NoMoreThreads(const NoMoreThreads&) = delete;
  NoMoreThreads& operator=(const NoMoreThreads&) = delete;

 private:
  rlimit before_{};
};

}  // namespace ragstone::test
