#include "support/memory.hpp"

#include <fstream>
#include <stdexcept>
#include <string>

namespace ragstone::bench {
namespace {

double read_status(const std::string& name) {
  std::ifstream in("/proc/self/status");
  std::string word;
  while (in >> word) {
    if (word != name) continue;
    double kib = 0;
    in >> kib;
    return kib / 1024;
  }
  throw std::runtime_error("/proc/self/status has no " + name);
}

}  // namespace

double resident_mib() { return read_status("VmRSS:"); }

double peak_mib() { return read_status("VmHWM:"); }

void reset_peak() {
  std::ofstream out("/proc/self/clear_refs");
  out << '5' << std::flush;
  if (!out) throw std::runtime_error("cannot reset the peak of resident memory");
}

}  // namespace ragstone::bench
