#include "vector/parts.hpp"

#include <cstdio>
#include <memory>
#include <string>

namespace ragstone::bench {

void measure_scans(VectorSet set, std::size_t asked, Report& report) {
  std::printf("\n%s: %zu x %zu, exact answers\n", set.name.c_str(), set.rows(), set.dimension);
  // As a store keeps vectors of the index type FLAT.
  segment::DenseForm form;
  form.nibbles = true;
  const std::vector<segment::DenseView> views = {part_of(set, form)};
  segment::DenseQuery query;
  query.exact = true;
  Found truth = search_ours(set, views, query, 8);
  truth.resize(asked);
  set.queries.resize(asked * set.dimension);
  const auto scan = hnswlib_scan(set.dimension, set.metric == Metric::l2);
  const auto faiss = faiss_scan(set.dimension, set.metric == Metric::l2);
  scan->build(set.base, 1);
  faiss->build(set.base, 1);

  Found found;
  const auto compare = [&](const char* what, const Times& ours, const Times& theirs) {
    compare_times(report, set.name + ": " + what, set, ours, theirs);
  };
  const Times theirs = times_of([&] { found = search_peer(set, *scan); });
  report.figure(set.name + ": recall of hnswlib's scan against ours", recall(found, truth), "");
  const Times of_faiss = times_of([&] { found = search_peer(set, *faiss); });
  const Times ours = times_of([&] { found = search_ours(set, views, query); });
  report.figure(set.name + ": recall of codes and rescoring", recall(found, truth), "");
  compare("exact answer, ours / hnswlib's brute force", ours, theirs);
  compare("exact answer, ours / faiss's flat index", ours, of_faiss);
  const Times batch = times_of([&] { found = search_ours(set, views, query, 8); });
  compare("exact answer, eight a pass / one by one", batch, ours);
  segment::DenseQuery codes = query;
  codes.form = segment::FlatForm::codes;
  const Times by_codes = times_of([&] { found = search_ours(set, views, codes); });
  compare("exact answer, by nibbles before the codes / by codes", ours, by_codes);
  const Times hundred = times_of([&] { search_ours(set, views, query, 1, 100); });
  const Times codes_hundred = times_of([&] { search_ours(set, views, codes, 1, 100); });
  compare("exact answer of 100 hits, by nibbles before the codes / by codes", hundred, codes_hundred);
  const Times codes_batch = times_of([&] { found = search_ours(set, views, codes, 8); });
  compare("exact answer by codes, eight a pass / one by one", codes_batch, by_codes);

  segment::DenseQuery vectors = query;
  vectors.form = segment::FlatForm::vectors;
  const Times full = times_of([&] { found = search_ours(set, views, vectors); });
  const Times full_batch = times_of([&] { found = search_ours(set, views, vectors, 8); });
  compare("scan of all f32, eight a pass / one by one", full_batch, full);
  const auto stored = std::span(views[0].part->vector(0).data(), set.base.size());
  volatile std::uint64_t sum = 0;
  const double read = 1e3 * best_of([&] { sum = read_all(stored); });
  report.figure(set.name + ": read bandwidth of the vectors", static_cast<double>(stored.size_bytes()) / read / 1e6,
                "GB/s");
  report.cost_ratio(set.name + ": scan of all f32, ms, ours / reading them",
                    1e3 * full.cpu / static_cast<double>(set.asked()), read);
}

}  // namespace ragstone::bench
