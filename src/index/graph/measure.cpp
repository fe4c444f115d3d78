#include "index/graph/measure.hpp"

#include "index/graph/walk.hpp"
#include "kernel/simd.hpp"
#include "kernel/top_k.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>
#include <utility>

namespace ragstone::graph {
namespace {

constexpr std::array<std::uint32_t, 12> kEfs = {10, 14, 20, 28, 40, 56, 80, 120, 200, 400, 900, 2000};
// The nearest are looked for among so many rows that are the nearest by their codes,
constexpr std::size_t kCandidates = 500;
// and, where one of them is not among so many of these, among all rows: codes tell too little, then.
constexpr std::size_t kTrusted = 100;
constexpr std::size_t kChunk = 512;

bool is_nearer(const Near& a, const Near& b) noexcept { return a.distance < b.distance; }
bool is_less(const double& a, const double& b) noexcept { return a < b; }

CodeVector query_of(const CodeRows& rows, Metric metric, std::uint32_t row) {
  CodeVector query;
  query.codes.assign(rows.row(row), rows.row(row) + rows.dimension);
  query.scale = rows.factors[row].factor * (metric == Metric::l2 ? 0.5F : 1.0F);
  return query;
}

/// The exact distances of some others from a row, the smallest ten, ascending.
std::vector<double> smallest(std::uint32_t row, std::span<const std::uint32_t> others, const ExactDistance& exact) {
  std::vector<double> distances;
  for (const std::uint32_t other : others)
    if (other != row) distances.push_back(exact(row, other));
  std::sort(distances.begin(), distances.end());
  distances.resize(std::min(distances.size(), kMeasuredHits));
  return distances;
}

/// The rows that are nearest by their codes, without those that `left_out` names.
std::vector<std::uint32_t> nearest_by_codes(const CodeRows& rows, const std::vector<bool>& left_out,
                                            const CodeVector& query, kernel::StopPoll& poll) {
  kernel::TopK<Near, is_nearer> nearest(kCandidates);
  std::array<std::int32_t, kChunk> dots;
  for (std::size_t begin = 0; begin < rows.count(); begin += kChunk) {
    const std::size_t count = std::min(kChunk, rows.count() - begin);
    poll.spend(count * (rows.dimension / 16 + 10));
    kernel::simd().code_dots(query.codes.data(), rows.row(begin), rows.dimension, nullptr, count, dots.data());
    for (std::size_t i = 0; i < count; ++i) {
      const CodeFactor factor = rows.factors[begin + i];
      const Near near{factor.addend - factor.factor * (query.scale * static_cast<float>(dots[i])),
                      static_cast<std::uint32_t>(begin + i)};
      if (nearest.would_keep(near) && !left_out[near.node]) nearest.add(near);
    }
  }
  std::vector<std::uint32_t> nodes;
  for (const Near& near : std::move(nearest).take()) nodes.push_back(near.node);
  return nodes;
}

/// How far the tenth nearest of all rows is from one of them, without itself and those that `left_out` names.
double tenth_of_all(std::uint32_t row, const CodeRows& rows, const std::vector<bool>& left_out,
                    const ExactDistance& exact, kernel::StopPoll& poll) {
  kernel::TopK<double, is_less> nearest(kMeasuredHits);
  for (std::uint32_t other = 0; other < rows.count(); ++other) {
    if (other == row || left_out[other]) continue;
    poll.spend(rows.dimension);
    nearest.add(exact(row, other));
  }
  return nearest.worst();
}

/// The same, of some rows in the order of their codes where that tells the nearest.
double tenth_nearest(std::uint32_t row, const CodeRows& rows, const std::vector<bool>& left_out,
                     std::span<const std::uint32_t> by_codes, const ExactDistance& exact, kernel::StopPoll& poll) {
  std::vector<std::pair<double, std::size_t>> distances;  // With places by codes.
  for (std::size_t place = 0; place < by_codes.size(); ++place)
    if (by_codes[place] != row) distances.emplace_back(exact(row, by_codes[place]), place);
  std::sort(distances.begin(), distances.end());
  distances.resize(std::min(distances.size(), kMeasuredHits));
  const bool tells = std::ranges::all_of(distances, [](const auto& near) { return near.second < kTrusted; });
  if (tells || by_codes.size() < kCandidates) return distances.back().first;
  return tenth_of_all(row, rows, left_out, exact, poll);
}

/// Nodes and their copies, as a search takes them.
std::vector<std::uint32_t> with_copies(const Graph& graph, std::span<const Near> nodes) {
  std::vector<std::uint32_t> rows;
  for (const Near& near : nodes) {
    rows.push_back(near.node);
    const auto copies = graph.copies(near.node);
    rows.insert(rows.end(), copies.begin(),
                copies.begin() + static_cast<std::ptrdiff_t>(std::min(copies.size(), most_copies(kMeasuredHits))));
  }
  return rows;
}

void share(const Parallel* parallel, std::size_t count, const std::function<void(std::size_t)>& work) {
  if (parallel != nullptr) return parallel->run(count, work);
  for (std::size_t i = 0; i < count; ++i) work(i);
}

}  // namespace

void measure_recall(const CodeRows& rows, Metric metric, std::span<const std::uint32_t> asking,
                    std::span<const std::uint32_t> held_out, const ExactDistance& exact, BuiltGraph& graph,
                    const Parallel* parallel, const StopToken& stop) {
  graph.header.measured = 0;
  if (asking.empty()) return;
  const Graph view = graph.view();
  std::vector<bool> left_out(rows.count());
  for (const std::uint32_t row : held_out) left_out[row] = true;
  std::vector<CodeVector> queries(asking.size());
  std::vector<double> tenths(asking.size());
  share(parallel, asking.size(), [&](std::size_t q) {
    kernel::StopPoll poll(stop);
    queries[q] = query_of(rows, metric, asking[q]);
    const std::vector<std::uint32_t> by_codes = nearest_by_codes(rows, left_out, queries[q], poll);
    tenths[q] = tenth_nearest(asking[q], rows, left_out, by_codes, exact, poll);
  });
  std::vector<std::ptrdiff_t> found(asking.size());
  for (const std::uint32_t ef : kEfs) {
    share(parallel, asking.size(), [&](std::size_t q) {
      kernel::StopPoll poll(stop);
      const Walked walked = walk(view, rows, queries[q], {ef, kept_for(kMeasuredHits, ef), nullptr}, poll);
      const std::vector<double> hits = smallest(asking[q], with_copies(view, walked.nearest), exact);
      found[q] = std::count_if(hits.begin(), hits.end(), [&](double distance) { return distance <= tenths[q]; });
    });
    const auto all = std::accumulate(found.begin(), found.end(), std::ptrdiff_t{0});
    const float recall = static_cast<float>(all) / static_cast<float>(queries.size() * kMeasuredHits);
    graph.header.recalls[graph.header.measured++] = {ef, std::min(recall, 1.0F)};
    if (recall >= 0.9995F) break;
  }
}

}  // namespace ragstone::graph
