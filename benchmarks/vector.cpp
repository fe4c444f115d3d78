// Vector search against hnswlib and faiss in this process, on real sets (mnist-784, text-256) and a generated one of
// 200,000 x 384: exact answers, several queries a pass, graphs at equal recall, filters, build time, memory, and the
// time from opening a mapped segment to its first answer. Times are the thread's CPU time, the best of three sweeps
// over the queries, but for builds by two threads and openings, which are wall time. QPS at a recall is interpolated on
// the grid of ef. --quick takes text-256 alone and smaller generated sets. benchmarks/peers has what npm offers.

#include "index/row_bitmap.hpp"
#include "kernel/simd.hpp"
#include "store/own_threads.hpp"
#include "store/segment/dense_search.hpp"
#include "store/segment/file_system.hpp"
#include "store/segment/image_sink.hpp"
#include "support/report.hpp"
#include "support/temporary_folder.hpp"
#include "vector/data_sets.hpp"
#include "vector/peers.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <time.h>

namespace {

using namespace ragstone;
using bench::Report;
using bench::VectorPeer;
using bench::VectorSet;

constexpr std::size_t kHits = 10;
constexpr std::size_t kSweeps = 3;
constexpr std::size_t kEfs[] = {10, 12, 14, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128, 192, 256, 384, 512};

using Found = std::vector<std::vector<std::uint32_t>>;

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

template <class Work>
double cpu_of(Work work) {
  const double begin = cpu_seconds();
  work();
  return cpu_seconds() - begin;
}

template <class Work>
double wall_of(Work work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

template <class Work>
double best_of(Work work) {
  double best = cpu_of(work);
  for (std::size_t i = 1; i < kSweeps; ++i) best = std::min(best, cpu_of(work));
  return best;
}

double recall(const Found& found, const Found& truth) {
  std::size_t right = 0, all = 0;
  for (std::size_t q = 0; q < truth.size(); ++q) {
    all += truth[q].size();
    for (const std::uint32_t row : found[q])
      right += std::find(truth[q].begin(), truth[q].end(), row) != truth[q].end() ? 1 : 0;
  }
  return all == 0 ? 1 : static_cast<double>(right) / static_cast<double>(all);
}

struct Point {
  double recall = 0;
  double qps = 0;
};

/// Queries a second at a recall, between the points around it; 0 where the curve does not reach it.
double qps_at(const std::vector<Point>& curve, double wanted) {
  for (std::size_t i = 0; i < curve.size(); ++i) {
    if (curve[i].recall < wanted) continue;
    if (i == 0 || curve[i].recall <= curve[i - 1].recall) return curve[i].qps;
    const double part = (wanted - curve[i - 1].recall) / (curve[i].recall - curve[i - 1].recall);
    return curve[i - 1].qps + part * (curve[i].qps - curve[i - 1].qps);
  }
  return 0;
}

/// A set as a part, node i + 1 being row i.
segment::DenseView part_of(const VectorSet& set, const segment::DenseForm& form, const Parallel* parallel = nullptr) {
  std::vector<segment::RowKey> keys;
  for (std::size_t i = 0; i < set.rows(); ++i) keys.push_back({i + 1, 1, {}});
  const auto dimension = static_cast<std::uint32_t>(set.dimension);
  auto part = std::make_shared<const segment::DensePart>(
      segment::heap_image(segment::build_dense(1, dimension, keys, set.base)));
  if (!form.graph && !form.bits) return {part, {}};
  segment::StringSink image;
  const std::vector<segment::DenseView> plain = {{part, {}}};
  segment::merge_dense(1, plain, image, {}, form, parallel);
  return {std::make_shared<const segment::DensePart>(segment::heap_image(std::move(image).take())), {}};
}

segment::DenseForm with_graph(const VectorSet& set) {
  segment::DenseForm form;
  form.graph = graph::BuildOptions{set.metric, 16, 200};
  form.graph_rows = 1;
  return form;
}

class SelectedRows final : public segment::RowFilter {
 public:
  explicit SelectedRows(RowBitmap rows) : rows_(std::move(rows)) {}
  bool allows(NodeId node, segment::SourceNumber) const override { return rows_.contains(node - 1); }
  RowBitmap select(std::span<const NodeId>, std::span<const segment::SourceNumber>, const StopToken&) const override {
    return rows_;
  }
  bool selects_quickly() const noexcept override { return true; }

 private:
  RowBitmap rows_;
};

Found search_ours(const VectorSet& set, const std::vector<segment::DenseView>& views, segment::DenseQuery query,
                  std::size_t a_pass = 1) {
  Found found;
  query.dimension = set.dimension;
  query.metric = set.metric;
  query.k = kHits;
  for (std::size_t q = 0; q < set.asked(); q += a_pass) {
    const std::size_t count = std::min(a_pass, set.asked() - q);
    query.queries = std::span(set.queries).subspan(q * set.dimension, count * set.dimension);
    for (const auto& hits : segment::search_dense(views, query, {}).hits) {
      found.emplace_back();
      for (const ScoredNode& hit : hits) found.back().push_back(static_cast<std::uint32_t>(hit.id - 1));
    }
  }
  return found;
}

Found search_peer(const VectorSet& set, const VectorPeer& peer) {
  Found found;
  for (std::size_t q = 0; q < set.asked(); ++q) found.push_back(peer.search(set.query(q), kHits));
  return found;
}

void measure_scans(VectorSet set, std::size_t asked, Report& report, Found& truth) {
  std::printf("\n%s: %zu x %zu, exact answers\n", set.name.c_str(), set.rows(), set.dimension);
  const std::vector<segment::DenseView> views = {part_of(set, {})};
  segment::DenseQuery query;
  query.exact = true;
  truth = search_ours(set, views, query, 8);
  truth.resize(asked);
  set.queries.resize(asked * set.dimension);
  const auto scan = bench::hnswlib_scan(set.dimension, set.metric == Metric::l2);
  scan->build(set.base, 1);
  const auto per_query = [&](double seconds) { return 1e3 * seconds / static_cast<double>(set.asked()); };

  Found found;
  const double theirs = per_query(best_of([&] { found = search_peer(set, *scan); }));
  report.figure(set.name + ": recall of hnswlib's scan against ours", recall(found, truth), "");
  const double ours = per_query(best_of([&] { found = search_ours(set, views, query); }));
  report.figure(set.name + ": recall of codes and rescoring", recall(found, truth), "");
  report.cost_ratio(set.name + ": exact answer, ms, ours / hnswlib's brute force", ours, theirs);
  const double batch = per_query(best_of([&] { found = search_ours(set, views, query, 8); }));
  report.cost_ratio(set.name + ": exact answer, ms, eight a pass / one by one", batch, ours);

  segment::DenseQuery vectors = query;
  vectors.form = segment::FlatForm::vectors;
  const double full = per_query(best_of([&] { found = search_ours(set, views, vectors); }));
  const double full_batch = per_query(best_of([&] { found = search_ours(set, views, vectors, 8); }));
  report.cost_ratio(set.name + ": scan of all f32, ms, eight a pass / one by one", full_batch, full);
  const auto stored = std::span(views[0].part->vector(0).data(), set.base.size());
  volatile std::uint64_t sum = 0;
  const double read = 1e3 * best_of([&] { sum = bench::read_all(stored); });
  report.figure(set.name + ": read bandwidth of the vectors", static_cast<double>(stored.size_bytes()) / read / 1e6,
                "GB/s");
  report.cost_ratio(set.name + ": scan of all f32, ms, ours / reading them", full, read);
}

std::vector<Point> curve_of(const char* name, const VectorSet& set, const Found& truth,
                            const std::function<Found(std::size_t)>& search) {
  std::vector<Point> curve;
  for (const std::size_t ef : kEfs) {
    Found found;
    const double seconds = best_of([&] { found = search(ef); });
    curve.push_back({recall(found, truth), static_cast<double>(set.asked()) / seconds});
    std::printf("  %-10s ef %4zu  recall %.4f  %8.0f queries a CPU second\n", name, ef, curve.back().recall,
                curve.back().qps);
    if (curve.back().recall >= 0.997) break;
  }
  return curve;
}

void measure_filters(const VectorSet& set, const std::vector<segment::DenseView>& views, Report& report) {
  const auto scan = bench::hnswlib_scan(set.dimension, set.metric == Metric::l2);
  const auto faiss = bench::faiss_scan(set.dimension, set.metric == Metric::l2);
  scan->build(set.base, 1);
  faiss->build(set.base, 1);
  std::mt19937 random(3);
  for (const double share : {0.001, 0.01, 0.1, 0.5}) {
    RowBitmap rows(set.rows());
    std::bernoulli_distribution chosen(share);
    for (std::size_t i = 0; i < set.rows(); ++i)
      if (chosen(random)) rows.insert(i);
    const SelectedRows filter(rows);
    Found truth, found;
    const auto by = [&](const VectorPeer& peer) {
      Found result;
      for (std::size_t q = 0; q < set.asked(); ++q) result.push_back(peer.search(set.query(q), kHits, rows.words()));
      return result;
    };
    const double brute = best_of([&] { truth = by(*scan); });
    const double bitmap = best_of([&] { by(*faiss); });
    segment::DenseQuery query;
    query.filter = &filter;
    query.recall = 0.99;
    const double ours = best_of([&] { found = search_ours(set, views, query); });
    const std::string name = set.name + ": filter of " + std::to_string(100 * share).substr(0, 4) + " %";
    report.figure(name + ", recall", recall(found, truth), "");
    report.cost_ratio(name + ", us, ours / the better of brute force and faiss",
                      1e6 * ours / static_cast<double>(set.asked()),
                      1e6 * std::min(brute, bitmap) / static_cast<double>(set.asked()));
  }
}

double first_answer(const VectorSet& set, const segment::DensePart& part, const std::filesystem::path& file) {
  const auto files = segment::posix_file_system();
  {
    const auto out = files->create(file);
    segment::FileSink sink(*out);
    const std::vector<segment::DenseView> views = {{std::make_shared<const segment::DensePart>(part), {}}};
    segment::merge_dense(1, views, sink, {}, with_graph(set));
    sink.flush();
  }
  std::vector<double> times;
  for (int round = 0; round < 7; ++round)
    times.push_back(wall_of([&] {
      const std::vector<segment::DenseView> views = {
          {std::make_shared<const segment::DensePart>(files->open(file, true)), {}}};
      segment::DenseQuery query;
      query.queries = set.query(0);
      query.dimension = set.dimension;
      query.metric = set.metric;
      search_dense(views, query, {});
    }));
  std::sort(times.begin(), times.end());
  return 1e3 * times[times.size() / 2];
}

void measure_graphs(const VectorSet& set, const Found& truth, bool two_threads, Report& report) {
  std::printf("\n%s: graphs, M 16, efConstruction 200\n", set.name.c_str());
  const auto peer = bench::hnswlib_graph(set.dimension, set.metric == Metric::l2);
  const double theirs = cpu_of([&] { peer->build(set.base, 1); });
  std::vector<segment::DenseView> views;
  const double plain = cpu_of([&] { views = {part_of(set, {})}; });
  const double ours = cpu_of([&] { views = {part_of(set, with_graph(set))}; }) - plain;
  report.cost_ratio(set.name + ": build, CPU s, ours / hnswlib", ours, theirs);
  if (two_threads) {
    const OwnThreads one(1), two(2);
    const double alone = wall_of([&] { part_of(set, with_graph(set), &one); });
    const double together = wall_of([&] { part_of(set, with_graph(set), &two); });
    report.cost_ratio(set.name + ": build, wall s, two threads / one", together, alone);
  }
  const graph::Graph& graph = *views[0].part->graph();
  const auto& container = views[0].part->container();
  double bytes = static_cast<double>(set.rows()) / 8 + 16 * 4096;  // what a walk allocates, generously
  for (const auto section : {segment::SectionId::codes, segment::SectionId::code_scales, segment::SectionId::norms,
                             segment::SectionId::graph_links, segment::SectionId::graph_factors})
    bytes += static_cast<double>(container.bytes(section).size());
  if (!graph.upper().empty()) bytes += static_cast<double>(container.bytes(segment::SectionId::graph_upper).size());
  const auto count = static_cast<double>(set.rows());
  report.cost_ratio(set.name + ": bytes a vector in memory, ours / hnswlib", bytes / count,
                    static_cast<double>(peer->bytes()) / count);

  const auto hnsw = curve_of("hnswlib", set, truth, [&](std::size_t ef) {
    peer->set_ef(ef);
    return search_peer(set, *peer);
  });
  const auto own = curve_of("ragstone", set, truth, [&](std::size_t ef) {
    segment::DenseQuery query;
    query.by_graph = true;
    query.ef = ef;
    return search_ours(set, views, query);
  });
  for (const double wanted : {0.95, 0.99}) {
    const double a = qps_at(own, wanted), b = qps_at(hnsw, wanted);
    if (a > 0 && b > 0)
      report.cost_ratio(
          set.name + ": graph, us a query at recall " + std::to_string(wanted).substr(0, 4) + ", ours / hnswlib",
          1e6 / a, 1e6 / b);
  }
  measure_filters(set, views, report);
}

void measure(VectorSet set, std::size_t scanned_queries, bool two_threads, Report& report) {
  Found truth;
  measure_scans(set, scanned_queries, report, truth);
  segment::DenseQuery query;
  query.exact = true;
  const std::vector<segment::DenseView> views = {part_of(set, {})};
  truth = search_ours(set, views, query, 8);
  measure_graphs(set, truth, two_threads, report);
}

void measure_openings(std::size_t large, Report& report) {
  const test::TemporaryFolder folder;
  const auto time_of = [&](std::size_t rows) {
    const VectorSet set = bench::clustered_384(rows, 1);
    return first_answer(set, *part_of(set, {}).part, folder.path() / std::to_string(rows));
  };
  const double small = time_of(large / 10);
  const double whole = time_of(large);
  report.cost_ratio("open to first answer, ms, " + std::to_string(large / 10) + " / " + std::to_string(large) + " rows",
                    small, whole);
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments arguments(argc, argv);
  try {
    Report report("vector");
    std::printf("instruction set: %s\n", kernel::simd().name);
    // RAGSTONE_VECTOR_SETS names some of the sets, to run those alone.
    const char* only = std::getenv("RAGSTONE_VECTOR_SETS");
    const auto wanted = [&](const char* name) {
      return only == nullptr || std::string(only).find(name) != std::string::npos;
    };
    if (wanted("text-256"))
      if (auto set = bench::text_256(arguments.quick ? 500 : 2000)) measure(*set, 200, !arguments.quick, report);
    if (!arguments.quick && wanted("mnist-784"))
      if (auto set = bench::mnist_784(2000)) measure(*set, 200, true, report);
    if (wanted("clustered"))
      measure(bench::clustered_384(arguments.quick ? 20'000 : 200'000, 1000), 100, false, report);
    if (wanted("opening")) measure_openings(arguments.quick ? 20'000 : 100'000, report);
    report.write(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
