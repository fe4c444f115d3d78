#include "index/selected_rows.hpp"
#include "vector/parts.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace ragstone::bench {
namespace {

class ReadyFilter final : public segment::RowFilter {
 public:
  explicit ReadyFilter(RowBitmap rows) : rows_(std::make_shared<const SelectedRows>(std::move(rows))) {}
  bool allows(NodeId node, segment::SourceNumber) const override { return rows_->contains(node - 1); }
  Selection select(std::span<const NodeId>, std::span<const segment::SourceNumber>, const StopToken&) const override {
    return rows_;
  }
  bool selects_quickly() const noexcept override { return true; }

 private:
  Selection rows_;
};

constexpr double kWantedRecall = 0.99;

struct FilterCase {
  const char* kind;
  double share;
  RowBitmap rows;
};

/// Rows by chance, and those nearest to one row: of a subject, a language or a source, far from most queries.
std::vector<FilterCase> filters_of(const VectorSet& set, const VectorPeer& scan) {
  std::vector<FilterCase> cases;
  std::mt19937 random(3);
  for (const double share : {0.001, 0.01, 0.1, 0.5}) {
    RowBitmap rows(set.rows());
    std::bernoulli_distribution chosen(share);
    for (std::size_t i = 0; i < set.rows(); ++i)
      if (chosen(random)) rows.insert(i);
    cases.push_back({"", share, std::move(rows)});
  }
  for (const double share : {0.01, 0.1}) {
    RowBitmap rows(set.rows());
    const auto count = static_cast<std::size_t>(share * static_cast<double>(set.rows()));
    for (const std::uint32_t row : scan.search(set.row(set.rows() / 2), count)) rows.insert(row);
    cases.push_back({", of one region", share, std::move(rows)});
  }
  return cases;
}

Found search_among(const VectorSet& set, const VectorPeer& peer, const RowBitmap& rows) {
  Found found;
  for (std::size_t q = 0; q < set.asked(); ++q) found.push_back(peer.search(set.query(q), kHits, rows.words()));
  return found;
}

/// CPU time of hnswlib's graph with the smallest ef that leaves enough rows, or infinity.
double over_fetch(const VectorSet& set, VectorPeer& graph, const RowBitmap& rows, double share, const Found& truth) {
  for (const double factor : {1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 16.0}) {
    const double ef = factor * static_cast<double>(kHits) / share;
    if (ef > 4000) break;
    graph.set_ef(static_cast<std::size_t>(ef));
    if (recall(search_among(set, graph, rows), truth) < kWantedRecall) continue;
    return best_of([&] { search_among(set, graph, rows); });
  }
  return HUGE_VAL;
}

}  // namespace

void measure_filters(const VectorSet& set, const Kept& kept, Report& report) {
  std::printf("\n%s: filters\n", set.name.c_str());
  const std::vector<segment::DenseView> views = {kept.graph(set, false)};
  const auto graph = kept.hnswlib(set);
  const auto scan = hnswlib_scan(set.dimension, set.metric == Metric::l2);
  const auto faiss = faiss_scan(set.dimension, set.metric == Metric::l2);
  scan->build(set.base, 1);
  faiss->build(set.base, 1);
  for (const auto& [kind, share, rows] : filters_of(set, *scan)) {
    const ReadyFilter filter(rows);
    Found truth, found;
    const double brute = best_of([&] { truth = search_among(set, *scan, rows); });
    const double bitmap = best_of([&] { search_among(set, *faiss, rows); });
    const double by_graph = over_fetch(set, *graph, rows, share, truth);
    segment::DenseQuery query;
    query.filter = &filter;
    query.recall = kWantedRecall;
    const double ours = best_of([&] { found = search_ours(set, views, query); });
    const std::string name = set.name + ": filter of " + std::to_string(100 * share).substr(0, 4) + " %" + kind;
    const double queries = 1e-6 * static_cast<double>(set.asked());
    std::printf("  us: ours %.1f, brute force %.1f, faiss %.1f, hnswlib's graph %.1f\n", ours / queries,
                brute / queries, bitmap / queries, by_graph / queries);
    report.figure(name + ", recall", recall(found, truth), "");
    report.cost_ratio(name + ", us, ours / the best of hnswlib's graph, brute force and faiss", ours / queries,
                      std::min({brute, bitmap, by_graph}) / queries);
  }
}

}  // namespace ragstone::bench
