#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <vector>

/// What Linux counts for this process, and running a part of a benchmark in a process of its own.
namespace ragstone::bench {

/// Since the process began.
struct IoCounts {
  std::uint64_t written = 0;       ///< /proc/self/io wchar: bytes given to write() and its kin.
  std::uint64_t sent_to_disk = 0;  ///< write_bytes: bytes that made pages of files dirty; 0 on file systems in memory.
  std::uint64_t read = 0;          ///< rchar: bytes from read() and its kin; what is mapped is not among them.
  std::uint64_t read_from_disk = 0;  ///< read_bytes.
};
IoCounts io_counts();

/// Seconds of processor time since their beginning, of this thread and of all threads of the process.
double thread_cpu_seconds();
double process_cpu_seconds();

/// What the threads of this process that have its own priority did since their beginning: those for ingest are nicer.
struct ThreadTimes {
  double cpu = 0;     ///< Seconds on a core.
  double waited = 0;  ///< Seconds ready to run, but without a core.
};
ThreadTimes foreground_times();

struct Faults {
  std::uint64_t minor = 0;
  std::uint64_t major = 0;  ///< Those that read from disk.
};
Faults faults();

struct MemoryCounts {
  double resident_mib = 0;   ///< /proc/self/smaps_rollup Rss.
  double anonymous_mib = 0;  ///< Anonymous: what no file backs.
};
MemoryCounts memory_counts();

/// The most anonymous memory from construction to destruction, looked at every 10 ms.
class AnonymousPeak {
 public:
  AnonymousPeak();
  ~AnonymousPeak();
  AnonymousPeak(const AnonymousPeak&) = delete;
  AnonymousPeak& operator=(const AnonymousPeak&) = delete;

  double mib() const noexcept { return peak_; }

 private:
  std::atomic<bool> ending_ = false;
  std::atomic<double> peak_ = 0;
  std::thread thread_;
};

/// Figures by name, as a child process reports them.
using Values = std::map<std::string, double>;

/// Runs this program again with these arguments and waits for it. What it prints by print_value() is returned, other
/// lines go to stderr. Throws std::runtime_error if it fails, unless it ends by SIGKILL and `killed` allows that.
Values run_child(const std::vector<std::string>& arguments, bool killed = false);

void print_value(const std::string& name, double value);

/// What was written since then: "written" and "sent to disk", in bytes.
void print_writes(const IoCounts& before);

/// The q-quantile (0 to 1) of some values, which are sorted for it.
double quantile(std::vector<double>& values, double q);

}  // namespace ragstone::bench
