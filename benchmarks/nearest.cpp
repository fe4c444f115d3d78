// Nearest vectors as users of a store ask for them: 200,000 x 384 (generated, inner product), in the store in memory
// and in the persistent one, filled and maintained as a Document does it.
//
// - filters: the ten nearest under a filter's text over a declared field of metadata, which allows 0.1, 1, 10 and 50 %
//   of the rows, parsed for each query, against the best of what a program can do with the bitmap of the rows at hand:
//   hnswlib's kernel over those rows; faiss with the bitmap; hnswlib's graph asked for so many more that ten of them
//   pass, the fewest that reach a recall of 0.99. "New": a filter that was never asked for before. CPU time of one
//   thread, the best of three sweeps
// - openings: from opening the persistent store to its first answer, and twenty more, in processes of their own,
//   medians of seven: with its files in the page cache (evicted by posix_fadvise DONTNEED once, and read from beginning
//   to end), evicted before each, and as those openings left them: then what searches read is in the page cache in
//   single pages, and it takes more page faults to map them
//
// --quick takes 60,000 rows. RAGSTONE_NEAREST_LARGE=ROWS opens a store of that many, too, and one of 10,000 in turn,
// and compares; RAGSTONE_NEAREST_KEPT=FOLDER keeps those two for the next run. RAGSTONE_NEAREST_PARTS names some parts
// (openings, filters, growth) to run those alone. benchmarks/peers/nearest.sh has what npm offers beside it.

#include "index/row_bitmap.hpp"
#include "nearest/parts.hpp"
#include "nearest/store.hpp"
#include "support/process.hpp"
#include "support/report.hpp"
#include "support/stores.hpp"
#include "support/temporary_folder.hpp"
#include "vector/data_sets.hpp"
#include "vector/measure.hpp"
#include "vector/peers.hpp"
#include <ragstone/store/memory_engine.hpp>
#include <ragstone/store/sqlite_engine.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace ragstone;
using namespace ragstone::bench;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMore = 20;

VectorSearch thorough_search(const VectorSet& set, std::size_t query) {
  VectorSearch search = search_for(set, query);
  search.recall = 0.99;
  return search;
}

/// A peer under the rows of a bitmap: the quickest way that it has.
struct PeerTime {
  const char* way = "";
  double seconds = 0;
};

class Filters {
 public:
  Filters(const VectorSet& set, Report& report) : set_(set), report_(report) {
    scan_->build(set.base, 1);
    faiss_->build(set.base, 1);
    graph_->build(set.base, 2);
    for (const std::size_t below : {1, 10, 100, 500}) {
      RowBitmap& rows = bitmaps_.emplace_back(below, RowBitmap(set.rows())).second;
      for (std::size_t row = 0; row < set.rows(); ++row)
        if (rank_of(row) < below) rows.insert(row);
    }
    for (const auto& [below, rows] : bitmaps_) measure_peers(rows);
  }

  void measure(const std::string& store, const StoreEngine& engine) {
    const auto at = engine.snapshot();
    for (std::size_t i = 0; i < bitmaps_.size(); ++i) {
      const std::size_t below = bitmaps_[i].first;
      const std::string text = "rank < " + std::to_string(below);
      std::string plan;
      Found found;
      const double known = best_of([&] {
        found = search(
            *at, [&](std::size_t) { return text; }, plan);
      });
      std::size_t sweep = 0;
      const double fresh = best_of([&] {
        const std::string other = text + " and rank > -" + std::to_string(++sweep);
        search(
            *at, [&](std::size_t q) { return other + std::to_string(q); }, plan);
      });
      const auto us = [&](double seconds) { return 1e6 * seconds / static_cast<double>(set_.asked()); };
      char share[16];
      std::snprintf(share, sizeof share, "%g %%", static_cast<double>(below) / 10);
      const std::string name = store + ", filter of " + share;
      std::printf("%s: %s\n", name.c_str(), plan.c_str());
      report_.figure(name + ", recall", recall(found, truth_[i]), "");
      report_.cost_ratio(name + ", us a query, ours / " + peers_[i].way, us(known), us(peers_[i].seconds));
      report_.cost_ratio(name + ", new, us a query, ours / " + peers_[i].way, us(fresh), us(peers_[i].seconds));
    }
  }

 private:
  Found search(const StoreSnapshot& at, const std::function<std::string(std::size_t)>& filter,
               std::string& plan) const {
    Found found;
    for (std::size_t q = 0; q < set_.asked(); ++q) {
      VectorSearch search = thorough_search(set_, q);
      search.filter = Filter::parse(filter(q));
      const VectorHits hits = at.search_vectors(search);
      found.emplace_back();
      for (const ScoredNode& hit : hits.hits[0]) found.back().push_back(row_of(hit.id));
      plan = hits.plan;
    }
    return found;
  }

  void measure_peers(const RowBitmap& rows) {
    Found& truth = truth_.emplace_back();
    PeerTime best{"brute force over the rows", 1e9};
    const auto sweep = [&](const auto& search) {
      Found found;
      for (std::size_t q = 0; q < set_.asked(); ++q) found.push_back(search(set_.query(q)));
      return found;
    };
    best.seconds =
        best_of([&] { truth = sweep([&](auto query) { return scan_->search(query, kHits, rows.words()); }); });
    const double faiss =
        best_of([&] { sweep([&](auto query) { return faiss_->search(query, kHits, rows.words()); }); });
    if (faiss < best.seconds) best = {"faiss with a bitmap", faiss};
    for (const double more : {1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0}) {
      const auto asked =
          static_cast<std::size_t>(more * static_cast<double>(kHits * set_.rows()) / static_cast<double>(rows.count()));
      if (asked > set_.rows() / 20) break;
      Found found;
      const auto passing = [&](std::span<const float> query) {
        std::vector<std::uint32_t> hits;
        for (const std::uint32_t row : graph_->search(query, asked)) {
          if (rows.contains(row)) hits.push_back(row);
          if (hits.size() == kHits) break;
        }
        return hits;
      };
      graph_->set_ef(asked);
      const double seconds = best_of([&] { found = sweep(passing); });
      if (recall(found, truth) < 0.99) continue;
      if (seconds < best.seconds) best = {"hnswlib asked for more", seconds};
      break;
    }
    peers_.push_back(best);
  }

  const VectorSet& set_;
  Report& report_;
  const std::unique_ptr<VectorPeer> scan_ = hnswlib_scan(set_.dimension, set_.metric == Metric::l2);
  const std::unique_ptr<VectorPeer> faiss_ = faiss_scan(set_.dimension, set_.metric == Metric::l2);
  const std::unique_ptr<VectorPeer> graph_ = hnswlib_graph(set_.dimension, set_.metric == Metric::l2);
  std::vector<std::pair<std::size_t, RowBitmap>> bitmaps_;  ///< By what ranks are below.
  std::vector<Found> truth_;
  std::vector<PeerTime> peers_;
};

void fill_store(const fs::path& folder, const VectorSet& set) {
  SqliteOptions options;
  options.durability = Durability::fast;
  const auto engine = sqlite_engine(folder, options);
  fill(*engine, set);
  engine->close();
}

/// The set with that many rows in the store "kb" of the folder, and its queries beside it.
void make_store(const fs::path& folder, std::size_t rows) {
  const VectorSet set = clustered_384(rows, 1000);
  write_set({set.name, set.metric, set.dimension, {}, set.queries}, folder);
  fill_store(folder / "kb", set);
}

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// In a process of its own: `folder` holds the store in "kb" and the queries.
void open_and_search(const fs::path& folder) {
  VectorSet set = read_shape(folder);
  set.queries = read_queries(folder);
  const auto start = Clock::now();
  const auto engine = sqlite_engine(folder / "kb");
  const auto at = engine->snapshot();
  const auto ask = [&](std::size_t query) {
    if (at->search_vectors(search_for(set, query)).hits[0].size() != kHits) throw std::runtime_error("too few hits");
  };
  const auto before = faults();
  ask(0);
  print_value("first", milliseconds_since(start));
  print_value("faults", static_cast<double>(faults().minor - before.minor));
  for (std::size_t q = 1; q <= kMore; ++q) ask(q);
  print_value("more", milliseconds_since(start));
}

void run_part(const std::vector<std::string>& arguments) {
  const std::string& part = arguments.at(0);
  const fs::path folder = arguments.at(1);
  if (part == "write") return write_set(clustered_384(std::stoul(arguments.at(2)), 1000), folder);
  if (part == "build") return build_peer(folder, arguments.at(2));
  if (part == "open" && arguments.size() > 2) return open_peer(folder, arguments.at(2));
  if (part == "evict") return evict(folder);
  if (part == "make") return make_store(folder, std::stoul(arguments.at(2)));
  if (part == "open") return open_and_search(folder);
  throw std::runtime_error("no part " + part);
}

/// Where a store's files are before an opening.
enum class Files {
  warm,     ///< All in the page cache, read from beginning to end: in large pieces.
  evicted,  ///< On the disk alone.
  touched,  ///< As openings of evicted files left them: what searches read is in the page cache, in single pages.
};

constexpr std::pair<Files, const char*> kFiles[] = {
    {Files::warm, ", warm, "}, {Files::evicted, ", evicted, "}, {Files::touched, ", touched before, "}};

/// How long opening a store took to the first answer and to the 21st, in ms, each time.
class Openings {
 public:
  Openings(fs::path folder, Files files) : folder_(std::move(folder)), files_(files) {
    if (files != Files::warm) return;
    evict(folder_ / "kb");
    warm_up(folder_ / "kb");
  }

  void open() {
    if (files_ == Files::evicted) evict(folder_ / "kb");
    const Values values = run_child({"--part", "open", folder_.string()});
    first_.push_back(values.at("first"));
    more_.push_back(values.at("more"));
    faults_.push_back(values.at("faults"));
  }

  double first() { return quantile(first_, 0.5); }
  double more() { return quantile(more_, 0.5); }
  double faults() { return quantile(faults_, 0.5); }

 private:
  fs::path folder_;
  Files files_;
  std::vector<double> first_, more_, faults_;
};

void measure_openings(const fs::path& folder, std::size_t rows, Report& report) {
  const std::string name = "open the persistent store of " + std::to_string(rows) + " rows";
  for (const auto& [files, how] : kFiles) {
    Openings openings(folder, files);
    for (int round = 0; round < 7; ++round) openings.open();
    report.figure(name + how + "to the first answer", openings.first(), "ms");
    report.figure(name + how + "to the 21st answer", openings.more(), "ms");
  }
}

/// Openings of stores of 10,000 and so many more rows, in turn.
void measure_growth(std::size_t rows, const char* kept, Report& report) {
  constexpr std::size_t kFew = 10'000;
  const test::TemporaryFolder temporary;
  const fs::path folder = kept != nullptr ? fs::path(kept) : temporary.path();
  const auto store_of = [&](std::size_t count) {
    const fs::path store = folder / std::to_string(count);
    if (fs::create_directories(store)) run_child({"--part", "make", store.string(), std::to_string(count)});
    return store;
  };
  const fs::path small = store_of(kFew), large = store_of(rows);
  for (const auto& [files, how] : kFiles) {
    Openings of_small(small, files), of_large(large, files);
    for (int round = 0; round < 9; ++round) {
      of_small.open();
      of_large.open();
    }
    const std::string compared = std::to_string(rows) + " rows / " + std::to_string(kFew);
    report.figure("open to first answer" + (how + std::to_string(rows)) + " rows", of_large.first(), "ms");
    report.figure("page faults of the first answer" + (how + std::to_string(kFew)) + " rows", of_small.faults(), "");
    report.figure("page faults of the first answer" + (how + std::to_string(rows)) + " rows", of_large.faults(), "");
    report.figure("open to first answer" + (how + compared), of_large.first() / of_small.first(), "x");
    report.figure("open to 21st answer" + (how + compared), of_large.more() / of_small.more(), "x");
  }
}

bool wants(const char* part) {
  const char* only = std::getenv("RAGSTONE_NEAREST_PARTS");
  return only == nullptr || std::string(only).find(part) != std::string::npos;
}

void measure(bool quick, Report& report) {
  if (wants("openings") || wants("filters")) {
    const VectorSet set = clustered_384(quick ? 60'000 : 200'000, 500);
    const test::TemporaryFolder folder;
    write_set({set.name, set.metric, set.dimension, {}, set.queries}, folder.path());
    fill_store(folder.path() / "kb", set);
    if (wants("openings")) measure_openings(folder.path(), set.rows(), report);
    if (wants("filters")) {
      Filters filters(set, report);
      filters.measure("sqlite", *sqlite_engine(folder.path() / "kb"));
      const auto memory = memory_engine();
      fill(*memory, set);
      filters.measure("memory", *memory);
    }
  }
  const char* large = std::getenv("RAGSTONE_NEAREST_LARGE");
  if (large != nullptr && wants("growth"))
    measure_growth(std::stoul(large), std::getenv("RAGSTONE_NEAREST_KEPT"), report);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 2 && std::string(argv[1]) == "--part") try {
      run_part({argv + 2, argv + argc});
      return 0;
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      return 1;
    }
  const Arguments arguments(argc, argv);
  try {
    Report report("nearest");
    measure(arguments.quick, report);
    report.write(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
