// What it costs to put sources into a store, each part in a process of its own:
//
// - 100,000 small sources (about 1.5 KB) and 400 MB of large ones (100 to 150 KB), cut into MediumChunk and indexed for
//   BM25, by Document::add_all(): sources and bytes a second, the cost of a source from the 1st to the 100,000th,
//   processor time and bytes written beside it, bytes written for each byte of input (/proc/self/io: wchar, what went
//   through write(); write_bytes, what had to go to disk), disk by what it is for, and memory; the same texts in plain
//   SQLite and in FTS5, in transactions of 64 (32), all with synchronous=FULL in WAL mode
// - a folder of 2 GiB, each tenth file a large text and the others small ones, by Document::sync(): memory
// - one small source a commit, by StoreEngine::commit() and by plain SQLite in turns: time, processor time, pages
// - the processor time of cutting, analysing, storing and sealing
// - Document::add() one after the other, 64 calls at a time, and add_all()
// - 100,000 vectors of 384 dimensions by StoreEngine::commit()
// - queries over 35,000 sources alone (once upkeep after the commits is done), while a group of more than 100,000 rows
//   is built, and while as many sources are added: time, and of the threads that are not for ingest the processor time
//   and the time they waited for a core, which is all that grows where other processes want the cores too
//
// Texts are those of support/texts.cpp: real where RAGSTONE_DATA has them. Stores lie in TMPDIR (/tmp if unset).
// --quick takes a tenth. benchmarks/peers/ has the same for libraries from npm.

#include "ingest/parts.hpp"
#include "support/process.hpp"
#include "support/report.hpp"
#include "support/texts.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace ragstone::bench;

void run_part(const std::vector<std::string>& arguments) {
  const std::string& part = arguments.at(0);
  const std::string& store = arguments.at(1);
  const std::size_t size = std::stoul(arguments.at(2));
  if (part == "small" || part == "large") {
    const bool peer = store == "plain SQLite" || store == "FTS5";
    if (peer) return ingest_texts_by_peer(store == "FTS5", part == "large", size);
    return ingest_texts(store, part == "large", size);
  }
  if (part == "folder") return ingest_folder(store, size);
  if (part == "commits") return compare_commits(store, size);
  if (part == "together") return add_together(store, size);
  if (part == "stages") return measure_stages(store == "large", size);
  if (part == "vectors" && store == "sqlite-vec") return ingest_vectors_by_sqlite_vec(size);
  if (part == "vectors") return ingest_vectors(store, size);
  if (part == "queries") return query_meanwhile(store, size);
  throw std::runtime_error("no part " + part);
}

Values part(const std::string& name, const std::string& store, std::size_t size) {
  return run_child({"--part", name, store, std::to_string(size)});
}

const std::vector<std::string> kStores = {"memory", "sqlite", "sqlite fast"};

/// What a source cost in each tenth of the run, and how even that was.
void report_tenths(Report& report, const std::string& name, Values& values, const std::string& what,
                   const std::string& unit, double scale) {
  std::vector<double> tenths;
  std::printf("  %s by tenths, %s:", name.c_str(), unit.c_str());
  for (int i = 0; i < 10; ++i) {
    tenths.push_back(values["tenth " + std::to_string(i) + what] * scale);
    std::printf(" %.4g", tenths.back());
    report.add(name + ", tenth " + std::to_string(i + 1), tenths.back(), unit);
  }
  std::printf("\n");
  const auto [least, most] = std::minmax_element(tenths.begin(), tenths.end());
  report.figure(name + ": dearest tenth against cheapest", *most / *least, "x");
}

void report_texts(Report& report, const std::string& title, Values values, std::size_t count) {
  const double bytes = values["bytes"];
  const double seconds = values["seconds"];
  report.figure(title + ": sources", static_cast<double>(count) / seconds, "/s");
  report.figure(title + ": text", bytes / seconds / 1e6, "MB/s");
  report_tenths(report, title + ": cost of a source", values, "", "ms", 1e3);
  report_tenths(report, title + ": processor time of a source", values, ", cpu", "ms", 1e3);
  if (values["written"] > bytes / 100)
    report_tenths(report, title + ": bytes written for a source", values, ", written", "bytes", 1);
  if (values["written"] > bytes / 100) {
    report.figure(title + ": write() bytes for each of text", values["written"] / bytes, "");
    report.figure(title + ": disk writes for each byte of text", values["sent to disk"] / bytes, "");
  }
  if (values["disk"] > 0) report.figure(title + ": disk for each byte of text", values["disk"] / bytes, "");
  for (const char* kind : {"text", "nodes", "postings", "other"})
    if (values.contains(std::string("disk, ") + kind))
      report.figure(title + ": disk for " + kind, values[std::string("disk, ") + kind] / bytes, "of the text");
  if (values.contains("close")) report.figure(title + ": close", values["close"], "s");
  if (values.contains("anonymous peak"))
    report.figure(title + ": anonymous memory, peak", values["anonymous peak"], "MiB");
}

void bench_texts(Report& report, const std::string& kind, std::size_t count) {
  std::vector<std::string> stores = kStores;
  stores.insert(stores.end(), {"plain SQLite", "FTS5"});
  Values seconds;
  for (const std::string& store : stores) {
    const Values values = part(kind, store, count);
    seconds[store] = values.at("seconds");
    report_texts(report, kind + ", " + store, values, count);
  }
  report.cost_ratio(kind + ": sqlite against FTS5", seconds["sqlite"], seconds["FTS5"]);
  report.cost_ratio(kind + ": sqlite against plain SQLite", seconds["sqlite"], seconds["plain SQLite"]);
}

void bench_folder(Report& report, std::size_t mib) {
  Values values = part("folder", "sqlite", mib);
  report.figure("folder: size", values["bytes"] / 1048576, "MiB");
  report.figure("folder: files", values["sources"], "");
  report.figure("folder: sync", values["bytes"] / values["seconds"] / 1e6, "MB/s");
  report.figure("folder: anonymous memory before", values["anonymous before"], "MiB");
  report.figure("folder: anonymous memory, peak", values["anonymous peak"], "MiB");
  report.figure("folder: resident memory at the end", values["resident"], "MiB");
}

void bench_commits(Report& report, std::size_t rounds) {
  for (const char* store : {"sqlite", "sqlite fast"}) {
    Values values = part("commits", store, rounds);
    const std::string title = std::string("one commit, ") + store;
    report.figure(title + ": text", values["bytes"], "bytes");
    report.figure(title + ": p50", values["ours p50"], "ms");
    report.figure(title + ": p95", values["ours p95"], "ms");
    report.figure("one commit, plain SQLite (FULL): p50", values["theirs p50"], "ms");
    report.figure("one commit, plain SQLite (FULL): p95", values["theirs p95"], "ms");
    report.cost_ratio(title + " against plain SQLite (FULL), p50", values["ours p50"], values["theirs p50"]);
    report.figure(title + ": processor time, p50", values["ours cpu p50"], "ms");
    report.figure("one commit, plain SQLite (FULL): processor time, p50", values["theirs cpu p50"], "ms");
    report.figure(title + ": written", values["ours written"], "bytes");
    report.figure(title + ": pages written to the log", values["ours frames"], "");
    report.figure("one commit, plain SQLite (FULL): pages written to the log", values["theirs frames"], "");
  }
}

void bench_together(Report& report, std::size_t count) {
  for (const char* store : {"memory", "sqlite"}) {
    Values values = part("together", store, count);
    const std::string title = std::string("add(), ") + store;
    for (const char* way : {"one after the other", "together", "add_all"})
      report.figure(title + ", " + way, values[way], "sources/s");
    report.figure(title + ": 64 at a time against one after the other",
                  values["together"] / values["one after the other"], "x");
  }
}

void bench_stages(Report& report, const std::string& kind, std::size_t count) {
  Values values = part("stages", kind, count);
  double all = 0;
  const std::vector<std::string> stages = {"cutting", "analysing", "storing", "sealing"};
  for (const std::string& stage : stages) all += values[stage];
  for (const std::string& stage : stages) {
    report.figure(kind + ", processor time: " + stage, values[stage] / all * 100, "%");
    report.figure(kind + ", " + stage + " alone", values["bytes"] / values[stage] / 1e6, "MB/s");
  }
}

void bench_vectors(Report& report, std::size_t count) {
  for (const std::string& store : kStores) {
    Values values = part("vectors", store, count);
    const std::string title = "vectors, " + store;
    const double raw = static_cast<double>(count) * 384 * 4;
    report.figure(title + ": rows", static_cast<double>(count) / values["seconds"], "/s");
    report.figure(title + ": anonymous memory, peak", values["anonymous peak"], "MiB");
    if (!values.contains("open")) continue;
    const double input = raw + values["text"];
    report.figure(title + ": write() bytes for each of raw f32 and text", values["written"] / input, "");
    report.figure(title + ": disk writes for each byte of raw f32 and text", values["sent to disk"] / input, "");
    report.figure(title + ": disk of vectors against raw f32", values["disk, vectors"] / raw, "x");
    report.figure(title + ": disk", values["disk"] / 1e6, "MB");
    report.figure(title + ": open", values["open"], "ms");
    report.figure(title + ": first search", values["first search"], "ms");
  }
}

void bench_queries(Report& report, std::size_t count) {
  for (const char* store : {"memory", "sqlite"}) {
    Values values = part("queries", store, count);
    const std::string title = std::string("queries, ") + store;
    report.figure(title + ": rows built meanwhile", values["rows built"], "");
    for (const char* ranking : {"bm25", "cosine"}) {
      const auto value = [&](const std::string& when, const char* q) {
        return values[when + ", " + ranking + ", " + q];
      };
      for (const char* when : {"idle", "building", "adding", "idle afterwards"})
        for (const char* q : {"p50", "p95", "cpu p50", "cpu p95", "waited p95"})
          report.figure(title + ", " + ranking + ", " + when + ": " + q, value(when, q), "ms");
      report.figure(title + ", " + ranking + ": p95 building against idle",
                    value("building", "p95") / value("idle", "p95"), "x");
      // The sources double meanwhile.
      const double idle = (value("idle", "p95") + value("idle afterwards", "p95")) / 2;
      report.figure(title + ", " + ranking + ": p95 adding against the mean of idle before and after",
                    value("adding", "p95") / idle, "x");
      const double idle_cpu = (value("idle", "cpu p95") + value("idle afterwards", "cpu p95")) / 2;
      report.figure(title + ", " + ranking + ": the same of processor time", value("adding", "cpu p95") / idle_cpu,
                    "x");
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 5 && std::strcmp(argv[1], "--part") == 0) {
      run_part({argv[2], argv[3], argv[4]});
      return 0;
    }
    const Arguments arguments(argc, argv);
    const std::size_t part = arguments.quick ? 10 : 1;
    std::printf("Texts: %s\n", Texts().real() ? "real" : "generated; RAGSTONE_DATA names no folder with real ones");
    Report report("ingest");
    bench_commits(report, 1'000 / part);
    bench_texts(report, "small", 100'000 / part);
    bench_texts(report, "large", 3'200 / part);
    bench_stages(report, "small", 20'000 / part);
    bench_stages(report, "large", 800 / part);
    bench_together(report, 10'000 / part);
    bench_vectors(report, 100'000 / part);
    bench_queries(report, 35'000 / part);
    bench_folder(report, 2'048 / part);
    report.write(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ingest: %s\n", error.what());
    return 1;
  }
  return 0;
}
