// What a start costs: the first one, which reads and embeds, and the next, which should not.
//
// - first start (open, sync, build with an embedder of 20 ms a call and 384 dimensions), second start (open and sync
//   with nothing to do), opening alone and first retrieval of a store in memory and of a persistent one, at 1,000,
//   10,000, 100,000 and 1,000,000 nodes. The store in memory starts from nothing each time; the persistent one has done
//   its upkeep after the first start
// - the persistent store's openings: closed properly, and with its writer killed while the growing part was full (1,024
//   rows); each warm, and with the store's files evicted from the page cache (posix_fadvise DONTNEED). "Pages" are the
//   bytes read by read() in pages of 4,096 bytes, an upper bound of the database pages. The log that a killed writer
//   leaves is read through once by SQLite before anything else, and counted by itself; pages that are then read from it
//   count among the pages. Faults, memory and pages are those of opening and the first retrieval by BM25
// - opening and sync() over 400 and 100,000 unchanged files of a node each, warm and evicted: the same costs, and what
//   must be 0: files parsed, calls of the embedder, files of the store that were written
//
// Each opening is in a process of its own; the median of 5 is given, of 25 of a closed store that is warm. The first
// retrieval asks a question that about 20 nodes answer in all sizes, by BM25, and then by vectors. Those are random, so
// that no graph leads to the nearest of many (which is measured when it is built), and all are looked through. Texts
// are generated. Stores lie in TMPDIR (/tmp if unset). A plot is written beside the JSON file, or to startup.svg in the
// current folder.
// --quick ends at 100,000 nodes and 10,000 files. --folder FOLDER keeps the persistent stores there: a run that finds
// them only opens them. RAGSTONE_STARTUP_SQLITE=1 leaves out the store in memory.

#include "startup/parts.hpp"
#include "support/process.hpp"
#include "support/report.hpp"
#include "support/stores.hpp"
#include "support/svg.hpp"
#include "support/temporary_folder.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace ragstone::bench;
namespace fs = std::filesystem;

constexpr std::size_t kLatency = 20;
constexpr std::size_t kRounds = 5;
// Of openings that take no preparation.
constexpr std::size_t kQuickRounds = 25;
constexpr std::size_t kLinesPerFile = 64;

void run_part(const std::vector<std::string>& arguments) {
  const std::string& part = arguments.at(0);
  const Subject subject{arguments.at(1), arguments.at(2), std::stoul(arguments.at(3))};
  const std::size_t number = std::stoul(arguments.at(4));
  if (part == "first") return first_start(subject, number, true);
  if (part == "first sync") return first_start(subject, number, false);
  if (part == "settle") return settle(subject);
  if (part == "kill") return fill_growing_part_and_die(subject);
  if (part == "open") return open_and_retrieve(subject, number);
  if (part == "sync") return open_and_sync(subject);
  throw std::runtime_error("no part " + part);
}

Values part(const std::string& name, const Subject& subject, std::size_t number = 0) {
  return run_child(
      {"--part", name, subject.store, subject.folder.string(), std::to_string(subject.nodes), std::to_string(number)},
      name == "kill");
}

/// The median of each value of several runs.
Values medians(const std::vector<Values>& runs) {
  Values middle;
  for (const auto& [name, value] : runs.front()) {
    std::vector<double> values;
    for (const Values& run : runs) values.push_back(run.at(name));
    middle[name] = quantile(values, 0.5);
  }
  return middle;
}

/// How a store was left, and whether what it holds is in the page cache.
struct Opening {
  bool killed = false;
  bool evicted = false;

  std::string name() const {
    return std::string(killed ? "writer killed" : "closed properly") + (evicted ? ", evicted" : ", warm");
  }
};
constexpr Opening kOpenings[] = {{false, false}, {false, true}, {true, false}, {true, true}};

/// When each file of a store was written last, and its size; without those that hold nothing of it: the lock, SQLite's
/// shared memory, and a log that is empty.
std::map<std::string, std::pair<fs::file_time_type, std::uintmax_t>> written_files(const fs::path& folder) {
  std::map<std::string, std::pair<fs::file_time_type, std::uintmax_t>> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder))
    if (const fs::path name = entry.path().filename();
        entry.is_regular_file() && entry.file_size() > 0 && name != "lock" && name != "store.db-shm")
      files[entry.path()] = {entry.last_write_time(), entry.file_size()};
  return files;
}

/// Of opening a closed store and sync(), which must do nothing.
Values sync_often(const Subject& subject, bool evicted) {
  const auto before = written_files(subject.folder / "kb");
  std::vector<Values> runs;
  if (!evicted) warm_up(subject.folder / "kb");
  for (std::size_t round = 0; round < kRounds; ++round) {
    if (evicted) evict(subject.folder / "kb");
    runs.push_back(part("sync", subject));
    for (const char* what : {"parsed", "embedding calls"})
      if (runs.back().at(what) != 0) throw std::runtime_error(std::string("a second start: ") + what + " is not 0");
  }
  std::size_t written = 0;
  const auto after = written_files(subject.folder / "kb");
  for (const auto& [name, state] : after) written += before.contains(name) && before.at(name) == state ? 0 : 1;
  for (const auto& [name, state] : before) written += after.contains(name) ? 0 : 1;
  if (written != 0) throw std::runtime_error("a second start wrote into the store");
  Values middle = medians(runs);
  middle["files of the store written"] = static_cast<double>(written);
  return middle;
}

/// A copy of a closed store; files of segments, which never change, are linked.
Subject copy_of(const Subject& subject, const fs::path& folder) {
  fs::create_directories(folder / "kb");
  for (const fs::directory_entry& entry : fs::directory_iterator(subject.folder / "kb"))
    if (entry.is_regular_file()) fs::copy_file(entry.path(), folder / "kb" / entry.path().filename());
  fs::copy(subject.folder / "kb" / "segments", folder / "kb" / "segments",
           fs::copy_options::create_hard_links | fs::copy_options::recursive);
  return {subject.store, folder, subject.nodes};
}

/// Writers are killed in copies, each in one of its own: a growing part more, and the questions had more answers.
Values open_often(const Subject& subject, const Opening& opening, const fs::path& copies) {
  std::vector<Values> runs;
  if (!opening.evicted) warm_up(subject.folder / "kb");
  const std::size_t rounds = opening.killed || opening.evicted ? kRounds : kQuickRounds;
  for (std::size_t round = 0; round < rounds; ++round) {
    Subject opened = subject;
    if (opening.killed) {
      fs::remove_all(copies);
      opened = copy_of(subject, copies);
      part("kill", opened);
    }
    if (opening.evicted) evict(opened.folder / "kb");
    // The same questions however the store was left.
    runs.push_back(part("open", opened, round % kRounds * 2));
  }
  fs::remove_all(copies);
  return medians(runs);
}

/// Of a value that a part reports; empty for a count.
std::string unit_of(const std::string& value) {
  for (const char* time : {"open", "start", "bm25", "second bm25", "cosine", "second cosine"})
    if (value == time) return "ms";
  for (const char* memory :
       {"read from disk", "resident", "anonymous", "resident after cosine", "anonymous after cosine"})
    if (value == memory) return "MiB";
  return "";
}

/// One row of the first table, in ms; below 0: not measured.
struct Row {
  std::string store;
  std::size_t nodes = 0;
  double first = -1;
  double second = -1;
  double open = -1;
  double bm25 = -1;
  double cosine = -1;
};

/// Of StartCosts, in words.
std::string costs_of(const Values& values) {
  char text[320];
  std::snprintf(text, sizeof text,
                "read %.0f pages and a log of %.0f, of that from disk %.2f MiB; page faults: minor %.0f, major %.0f; "
                "memory: resident %.1f MiB, anonymous %.1f MiB",
                values.at("pages read"), values.at("pages of the log recovered"), values.at("read from disk"),
                values.at("minor faults"), values.at("major faults"), values.at("resident"), values.at("anonymous"));
  return text;
}

std::string milliseconds(double value) {
  char text[32] = "-";
  if (value >= 0) std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}

class Startup {
 public:
  /// `kept`: where the persistent stores are made, or found.
  Startup(Report& report, fs::path kept) : report_(report), kept_(std::move(kept)) {}

  void measure_memory(std::size_t nodes) {
    const ragstone::test::TemporaryFolder folder;
    const Subject subject{"memory", folder.path(), nodes};
    write_dataset(subject, (nodes + kLinesPerFile - 1) / kLinesPerFile, kLinesPerFile);
    Row row;
    row.store = "memory";
    row.nodes = nodes;
    row.first = part("first", subject, kLatency).at("start");
    const Values again = part("first", subject, kLatency);
    row.second = again.at("start");
    row.bm25 = again.at("bm25");
    row.cosine = again.at("cosine");
    add(row);
  }

  void measure_sqlite(std::size_t nodes) {
    Row row;
    row.store = "sqlite";
    row.nodes = nodes;
    const Subject subject{"sqlite", kept_ / ("synced" + std::to_string(nodes)), nodes};
    if (make_folder(subject.folder)) {
      write_dataset(subject, (nodes + kLinesPerFile - 1) / kLinesPerFile, kLinesPerFile);
      row.first = part("first", subject, kLatency).at("start");
      part("settle", subject);
      finish_folder(subject.folder);
    }
    row.second = sync_often(subject, false).at("start");
    for (const Opening& opening : kOpenings) {
      const Values values = open_often(subject, opening, kept_ / "killed");
      if (!opening.killed && !opening.evicted) {
        row.open = values.at("open");
        row.bm25 = values.at("bm25");
        row.cosine = values.at("cosine");
        add(row);
      }
      add_opening(nodes, opening, values);
    }
  }

  void measure_sync(std::size_t files) {
    const std::string title = "open and sync, " + std::to_string(files) + " unchanged files";
    const Subject subject{"sqlite", kept_ / ("files" + std::to_string(files)), files};
    if (make_folder(subject.folder)) {
      write_dataset(subject, files, 1);
      report_.figure(title + ": first time", part("first sync", subject).at("start"), "ms");
      part("settle", subject);
      finish_folder(subject.folder);
    }
    for (const bool evicted : {false, true}) {
      const std::string name = title + (evicted ? ", evicted" : ", warm");
      const Values values = sync_often(subject, evicted);
      if (values.at("unchanged") != static_cast<double>(files))
        throw std::runtime_error("a second sync did not find all files unchanged");
      std::printf(
          "%s: %.2f ms (opening alone %.2f); files parsed %.0f, embedding calls %.0f, files of the store written "
          "%.0f\n  %s\n",
          name.c_str(), values.at("start"), values.at("open"), values.at("parsed"), values.at("embedding calls"),
          values.at("files of the store written"), costs_of(values).c_str());
      std::fflush(stdout);
      for (const auto& [what, value] : values) report_.add(name + ": " + what, value, unit_of(what));
    }
  }

  void compare_sizes(std::size_t small, std::size_t large) {
    for (const Opening& opening : kOpenings)
      report_.figure("open and first bm25, " + opening.name() + ": " + std::to_string(large) + " against " +
                         std::to_string(small) + " nodes",
                     starts_[{opening.name(), large}] / starts_[{opening.name(), small}], "x");
    for (const bool evicted : {false, true}) {
      const Opening killed{true, evicted};
      const Opening closed{false, evicted};
      report_.figure(
          "open and first bm25, " + std::to_string(large) + " nodes: " + killed.name() + " against " + closed.name(),
          starts_[{killed.name(), large}] / starts_[{closed.name(), large}], "x");
    }
  }

  void plot(const fs::path& path) const {
    BarChart chart("Starting a knowledge base (embedder: 20 ms a call, 384 dimensions)", "ms");
    for (const char* series : {"first start", "second start", "opening", "first bm25", "first vectors"})
      chart.add_series(series);
    for (const Row& row : rows_)
      chart.add_group(row.store + ", " + std::to_string(row.nodes),
                      {row.first, row.second, row.open, row.bm25, row.cosine});
    chart.write(path);
    std::printf("Plot: %s\n", path.c_str());
  }

 private:
  /// False if a whole one is there.
  static bool make_folder(const fs::path& folder) {
    if (fs::exists(folder / "whole")) return false;
    fs::remove_all(folder);
    fs::create_directories(folder);
    return true;
  }

  static void finish_folder(const fs::path& folder) { fs::create_directory(folder / "whole"); }

  void add(const Row& row) {
    if (rows_.empty())
      std::printf("%-8s %9s %14s %14s %14s %14s %14s\n", "store", "nodes", "first start", "second start",
                  "opening alone", "first bm25", "first vectors");
    std::printf("%-8s %9zu %11s ms %11s ms %11s ms %11s ms %11s ms\n", row.store.c_str(), row.nodes,
                milliseconds(row.first).c_str(), milliseconds(row.second).c_str(), milliseconds(row.open).c_str(),
                milliseconds(row.bm25).c_str(), milliseconds(row.cosine).c_str());
    std::fflush(stdout);
    const std::string title = row.store + ", " + std::to_string(row.nodes) + " nodes: ";
    if (row.first >= 0) report_.add(title + "first start", row.first, "ms");
    report_.add(title + "second start", row.second, "ms");
    if (row.open >= 0) report_.add(title + "opening alone", row.open, "ms");
    report_.add(title + "first retrieval by bm25", row.bm25, "ms");
    report_.add(title + "first retrieval by vectors", row.cosine, "ms");
    rows_.push_back(row);
  }

  void add_opening(std::size_t nodes, const Opening& opening, const Values& values) {
    starts_[{opening.name(), nodes}] = values.at("start");
    std::printf("  %s: opening %.2f, first bm25 %.2f (next %.2f), first vectors %.2f (next %.2f) ms; %s\n",
                opening.name().c_str(), values.at("open"), values.at("bm25"), values.at("second bm25"),
                values.at("cosine"), values.at("second cosine"), costs_of(values).c_str());
    std::fflush(stdout);
    for (const auto& [what, value] : values)
      report_.add("sqlite, " + std::to_string(nodes) + " nodes, " + opening.name() + ": " + what, value, unit_of(what));
  }

  Report& report_;
  const fs::path kept_;
  std::vector<Row> rows_;
  std::map<std::pair<std::string, std::size_t>, double> starts_;
};

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 7 && std::strcmp(argv[1], "--part") == 0) {
      run_part({argv[2], argv[3], argv[4], argv[5], argv[6]});
      return 0;
    }
    const Arguments arguments(argc, argv);
    Report report("startup");
    const ragstone::test::TemporaryFolder temporary;
    Startup startup(report, arguments.folders.empty() ? temporary.path() : arguments.folders.front());
    std::vector<std::size_t> sizes = {1'000, 10'000, 100'000};
    if (!arguments.quick) sizes.push_back(1'000'000);
    if (std::getenv("RAGSTONE_STARTUP_SQLITE") == nullptr)
      for (const std::size_t nodes : sizes) startup.measure_memory(nodes);
    for (const std::size_t nodes : sizes) startup.measure_sqlite(nodes);
    startup.compare_sizes(10'000, arguments.quick ? 100'000 : 1'000'000);
    startup.measure_sync(400);
    startup.measure_sync(arguments.quick ? 10'000 : 100'000);
    startup.plot(arguments.json ? fs::path(*arguments.json).replace_extension(".svg") : fs::path("startup.svg"));
    report.write(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "startup: %s\n", error.what());
    return 1;
  }
  return 0;
}
