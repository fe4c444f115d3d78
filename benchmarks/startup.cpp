// What a start costs: the first one, which reads and embeds, and the next, which should not.
//
// - first start (open, sync, build with an embedder of 20 ms a call and 384 dimensions), second start (open) and first
//   retrieval of a store in memory and of a persistent one, at 1,000, 10,000, 100,000 and 1,000,000 nodes. At 1,000,000
//   the store is filled by StoreEngine::commit() with generated vectors, and there is no first start to be measured.
//   The store in memory starts from nothing each time
// - the persistent store's openings: closed properly; closed properly, its files evicted from the page cache
//   (posix_fadvise DONTNEED); its writer killed with the growing part full (1,024 rows). "Pages" are the bytes read by
//   read() in pages of 4,096 bytes, an upper bound of the database pages; faults, memory and pages are those of
//   opening and the first retrieval by BM25
// - opening and sync() over unchanged files: 400 and 100,000
//
// Each opening is in a process of its own; the median of five is given. The first retrieval asks a question that about
// 20 nodes answer in all sizes, by BM25, and then by vectors, which scans all of them. Texts are generated. Stores lie
// in TMPDIR (/tmp if unset). A plot is written beside the JSON file, or to startup.svg in the current folder.
// --quick ends at 100,000 nodes and 10,000 files. --folder FOLDER keeps the persistent stores there: a run that finds
// them only opens them.

#include "startup/parts.hpp"
#include "support/process.hpp"
#include "support/report.hpp"
#include "support/stores.hpp"
#include "support/svg.hpp"
#include "support/temporary_folder.hpp"

#include <algorithm>
#include <cstdio>
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
constexpr std::size_t kLinesPerFile = 64;

void run_part(const std::vector<std::string>& arguments) {
  const std::string& part = arguments.at(0);
  const Subject subject{arguments.at(1), arguments.at(2), std::stoul(arguments.at(3))};
  const std::size_t number = std::stoul(arguments.at(4));
  if (part == "first") return first_start(subject, true, number);
  if (part == "first sync") return first_start(subject, false, 0);
  if (part == "fill") return fill(subject);
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

enum class Opening { clean, evicted, killed };
constexpr const char* kOpenings[] = {"clean", "evicted", "killed"};

Values open_often(const Subject& subject, Opening opening) {
  std::vector<Values> runs;
  for (std::size_t round = 0; round < kRounds; ++round) {
    if (opening == Opening::killed) part("kill", subject);
    if (opening == Opening::evicted) evict(subject.folder / "kb");
    runs.push_back(part("open", subject, round * 2));
  }
  return medians(runs);
}

/// A copy of a closed store, for which nothing large is copied: files of segments never change.
Subject copy_of(const Subject& subject, const fs::path& folder) {
  fs::create_directories(folder / "kb");
  for (const fs::directory_entry& entry : fs::directory_iterator(subject.folder / "kb"))
    if (entry.is_regular_file()) fs::copy_file(entry.path(), folder / "kb" / entry.path().filename());
  fs::copy(subject.folder / "kb" / "segments", folder / "kb" / "segments", fs::copy_options::create_hard_links);
  return {subject.store, folder, subject.nodes};
}

/// One row of the first table, in ms; below 0: not measured.
struct Row {
  std::string store;
  std::size_t nodes = 0;
  double first = -1;
  double second = -1;
  double bm25 = -1;
  double cosine = -1;
};

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

  void measure_sqlite(std::size_t nodes, bool by_commits) {
    Row row;
    row.store = "sqlite";
    row.nodes = nodes;
    const Subject subject{"sqlite", kept_ / ("nodes" + std::to_string(nodes)), nodes};
    if (make_folder(subject.folder)) {
      if (by_commits) {
        part("fill", subject);
      } else {
        write_dataset(subject, (nodes + kLinesPerFile - 1) / kLinesPerFile, kLinesPerFile);
        row.first = part("first", subject, kLatency).at("start");
      }
      finish_folder(subject.folder);
    }
    const fs::path killed = kept_ / "killed";
    fs::remove_all(killed);
    for (const Opening opening : {Opening::clean, Opening::evicted, Opening::killed}) {
      const Values values = open_often(opening == Opening::killed ? copy_of(subject, killed) : subject, opening);
      if (opening == Opening::clean) {
        row.second = values.at("open");
        row.bm25 = values.at("bm25");
        row.cosine = values.at("cosine");
        add(row);
      }
      add_opening(nodes, opening, values);
    }
    fs::remove_all(killed);
  }

  void measure_sync(std::size_t files) {
    const std::string title = "open and sync, " + std::to_string(files) + " unchanged files: ";
    const Subject subject{"sqlite", kept_ / ("files" + std::to_string(files)), files};
    if (make_folder(subject.folder)) {
      write_dataset(subject, files, 1);
      report_.figure(title + "first time", part("first sync", subject).at("start"), "ms");
      finish_folder(subject.folder);
    }
    std::vector<Values> runs;
    for (std::size_t round = 0; round < kRounds; ++round) runs.push_back(part("sync", subject));
    const Values again = medians(runs);
    if (again.at("read") != 0 || again.at("unchanged") != static_cast<double>(files))
      throw std::runtime_error("a second sync read files that had not changed");
    report_.figure(title + "again", again.at("start"), "ms");
    report_.figure(title + "open alone", again.at("open"), "ms");
    report_.figure(title + "anonymous memory", again.at("anonymous"), "MiB");
  }

  void compare_sizes(std::size_t small, std::size_t large) {
    for (const Opening opening : {Opening::clean, Opening::evicted, Opening::killed}) {
      const std::string name = kOpenings[static_cast<int>(opening)];
      report_.figure("open and first bm25, " + name + ": " + std::to_string(large) + " against " +
                         std::to_string(small) + " nodes",
                     starts_[{name, large}] / starts_[{name, small}], "x");
    }
    report_.figure("open and first bm25, " + std::to_string(large) + " nodes: killed against clean",
                   starts_[{"killed", large}] / starts_[{"clean", large}], "x");
  }

  void plot(const fs::path& path) const {
    BarChart chart("Starting a knowledge base (embedder: 20 ms a call, 384 dimensions)", "ms");
    for (const char* series : {"first start", "second start", "first bm25", "first vectors"}) chart.add_series(series);
    for (const Row& row : rows_)
      chart.add_group(row.store + ", " + std::to_string(row.nodes), {row.first, row.second, row.bm25, row.cosine});
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
      std::printf("%-8s %9s %14s %14s %14s %14s\n", "store", "nodes", "first start", "second start", "first bm25",
                  "first vectors");
    std::printf("%-8s %9zu %11s ms %11s ms %11s ms %11s ms\n", row.store.c_str(), row.nodes,
                milliseconds(row.first).c_str(), milliseconds(row.second).c_str(), milliseconds(row.bm25).c_str(),
                milliseconds(row.cosine).c_str());
    std::fflush(stdout);
    const std::string title = row.store + ", " + std::to_string(row.nodes) + " nodes: ";
    if (row.first >= 0) report_.add(title + "first start", row.first, "ms");
    report_.add(title + "second start", row.second, "ms");
    report_.add(title + "first retrieval by bm25", row.bm25, "ms");
    report_.add(title + "first retrieval by vectors", row.cosine, "ms");
    rows_.push_back(row);
  }

  void add_opening(std::size_t nodes, Opening opening, const Values& values) {
    const std::string name = kOpenings[static_cast<int>(opening)];
    starts_[{name, nodes}] = values.at("start");
    std::printf(
        "  %-8s open %.2f, bm25 %.2f (then %.2f), vectors %.2f (then %.2f) ms; pages %.0f, faults %.0f+%.0f, from disk "
        "%.2f MiB, resident %.1f, anonymous %.1f MiB\n",
        name.c_str(), values.at("open"), values.at("bm25"), values.at("second bm25"), values.at("cosine"),
        values.at("second cosine"), values.at("pages read"), values.at("minor faults"), values.at("major faults"),
        values.at("read from disk"), values.at("resident"), values.at("anonymous"));
    std::fflush(stdout);
    for (const auto& [what, value] : values)
      report_.add("sqlite, " + std::to_string(nodes) + " nodes, " + name + ": " + what, value, "");
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
    for (const std::size_t nodes : {1'000, 10'000, 100'000}) startup.measure_memory(nodes);
    for (const std::size_t nodes : {1'000, 10'000, 100'000}) startup.measure_sqlite(nodes, false);
    if (!arguments.quick) startup.measure_sqlite(1'000'000, true);
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
