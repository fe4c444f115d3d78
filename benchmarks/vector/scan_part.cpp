#include "vector/parts.hpp"

#include <cstdio>
#include <memory>
#include <string>

namespace ragstone::bench {

void measure_scans(VectorSet set, std::size_t asked, Report& report) {
  std::printf("\n%s: %zu x %zu, exact answers\n", set.name.c_str(), set.rows(), set.dimension);
  const std::vector<segment::DenseView> views = {part_of(set, {})};
  segment::DenseQuery query;
  query.exact = true;
  Found truth = search_ours(set, views, query, 8);
  truth.resize(asked);
  set.queries.resize(asked * set.dimension);
  const auto scan = hnswlib_scan(set.dimension, set.metric == Metric::l2);
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
  const double read = 1e3 * best_of([&] { sum = read_all(stored); });
  report.figure(set.name + ": read bandwidth of the vectors", static_cast<double>(stored.size_bytes()) / read / 1e6,
                "GB/s");
  report.cost_ratio(set.name + ": scan of all f32, ms, ours / reading them", full, read);
}

}  // namespace ragstone::bench
