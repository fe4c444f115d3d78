#include "support/process.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace ragstone::bench {
namespace {

constexpr char kMark[] = "value\t";

/// The number after `name` in a file of "name: number" lines.
std::uint64_t read_number(const char* file, const std::string& name) {
  std::ifstream in(file);
  std::string word;
  while (in >> word) {
    if (word != name) continue;
    std::uint64_t number = 0;
    in >> number;
    return number;
  }
  throw std::runtime_error(std::string(file) + " has no " + name);
}

double seconds_of(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double to_mib(std::uint64_t kib) { return static_cast<double>(kib) / 1024; }

/// Takes the values out of what a child printed.
Values read_values(int descriptor) {
  Values values;
  FILE* in = ::fdopen(descriptor, "r");
  if (in == nullptr) throw std::system_error(errno, std::generic_category(), "fdopen");
  char line[4096];
  while (std::fgets(line, sizeof line, in)) {
    const std::string text(line);
    const std::size_t tab = text.rfind('\t');
    if (text.starts_with(kMark) && tab != std::string::npos && tab >= sizeof kMark - 1) {
      values[text.substr(sizeof kMark - 1, tab - (sizeof kMark - 1))] = std::stod(text.substr(tab + 1));
    } else {
      std::fputs(line, stderr);
    }
  }
  std::fclose(in);
  return values;
}

pid_t start(const std::vector<std::string>& arguments, int output) {
  std::vector<char*> argv;
  std::string self = "/proc/self/exe";
  argv.push_back(self.data());
  std::vector<std::string> copies = arguments;
  for (std::string& argument : copies) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  pid_t child = 0;
  const int error = ::posix_spawn(&child, self.c_str(), &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::system_error(error, std::generic_category(), "posix_spawn");
  return child;
}

}  // namespace

double thread_cpu_seconds() { return seconds_of(CLOCK_THREAD_CPUTIME_ID); }
double process_cpu_seconds() { return seconds_of(CLOCK_PROCESS_CPUTIME_ID); }

ThreadTimes foreground_times() {
  ThreadTimes times;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    const auto id = static_cast<id_t>(std::stoul(task.path().filename().string()));
    if (::getpriority(PRIO_PROCESS, id) > ::getpriority(PRIO_PROCESS, static_cast<id_t>(::getpid()))) continue;
    std::ifstream in(task.path() / "schedstat");
    double cpu = 0;
    double waited = 0;
    in >> cpu >> waited;
    times.cpu += cpu * 1e-9;
    times.waited += waited * 1e-9;
  }
  return times;
}

IoCounts io_counts() {
  IoCounts counts;
  counts.written = read_number("/proc/self/io", "wchar:");
  counts.sent_to_disk = read_number("/proc/self/io", "write_bytes:");
  counts.read = read_number("/proc/self/io", "rchar:");
  counts.read_from_disk = read_number("/proc/self/io", "read_bytes:");
  return counts;
}

Faults faults() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  Faults counts;
  counts.minor = static_cast<std::uint64_t>(usage.ru_minflt);
  counts.major = static_cast<std::uint64_t>(usage.ru_majflt);
  return counts;
}

MemoryCounts memory_counts() {
  MemoryCounts counts;
  counts.resident_mib = to_mib(read_number("/proc/self/smaps_rollup", "Rss:"));
  counts.anonymous_mib = to_mib(read_number("/proc/self/smaps_rollup", "Anonymous:"));
  return counts;
}

AnonymousPeak::AnonymousPeak()
    : thread_([this] {
        while (!ending_) {
          peak_ = std::max(peak_.load(), to_mib(read_number("/proc/self/status", "RssAnon:")));
          std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
      }) {}

AnonymousPeak::~AnonymousPeak() {
  ending_ = true;
  thread_.join();
}

Values run_child(const std::vector<std::string>& arguments, bool killed) {
  int pipe[2];
  if (::pipe2(pipe, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  const pid_t child = start(arguments, pipe[1]);
  ::close(pipe[1]);
  Values values = read_values(pipe[0]);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const bool by_kill = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  if (!(WIFEXITED(status) && WEXITSTATUS(status) == 0) && !(killed && by_kill))
    throw std::runtime_error("the part \"" + (arguments.size() > 1 ? arguments[1] : std::string()) + "\" failed");
  return values;
}

void print_value(const std::string& name, double value) {
  std::printf("%s%s\t%.9g\n", kMark, name.c_str(), value);
  std::fflush(stdout);
}

void print_writes(const IoCounts& before) {
  const IoCounts after = io_counts();
  print_value("written", static_cast<double>(after.written - before.written));
  print_value("sent to disk", static_cast<double>(after.sent_to_disk - before.sent_to_disk));
}

double quantile(std::vector<double>& values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

}  // namespace ragstone::bench
