#include "support/process_use.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include <malloc.h>

namespace ragstone::test {
namespace {

std::size_t status_bytes(const std::string& name) {
  std::ifstream in("/proc/self/status");
  std::string word;
  while (in >> word) {
    if (word != name) continue;
    std::size_t kib = 0;
    in >> kib;
    return kib * 1024;
  }
  throw std::runtime_error("/proc/self/status has no " + name);
}

void reset_peak() {
  std::ofstream out("/proc/self/clear_refs");
  out << '5' << std::flush;
  if (!out) throw std::runtime_error("cannot reset the peak of resident memory");
}

}  // namespace

std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

PeakMemory::PeakMemory() {
  if (!counts()) return;
  ::malloc_trim(0);
  reset_peak();
  before_ = status_bytes("VmRSS:");
}

std::size_t PeakMemory::bytes() const {
  if (!counts()) return 0;
  const std::size_t peak = status_bytes("VmHWM:");
  return peak > before_ ? peak - before_ : 0;
}

bool PeakMemory::counts() noexcept {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  return false;
#else
  return true;
#endif
#else
  return true;
#endif
}

}  // namespace ragstone::test
