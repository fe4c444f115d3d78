#pragma once

#include "store/segment/dense_search.hpp"
#include "support/process.hpp"
#include "support/report.hpp"
#include "vector/data_sets.hpp"
#include "vector/peers.hpp"
#include <ragstone/base/parallel.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

/// What the parts of the benchmark `vector`, and `nearest`, share: clocks, recall, and searches of a whole set.
namespace ragstone::bench {

inline constexpr std::size_t kHits = 10;
inline constexpr std::size_t kSweeps = 3;

/// The rows that each query found, best first.
using Found = std::vector<std::vector<std::uint32_t>>;

template <class Work>
double cpu_of(Work work) {
  const double begin = thread_cpu_seconds();
  work();
  return thread_cpu_seconds() - begin;
}

template <class Work>
double wall_of(Work work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Seconds of the fastest sweep, by this thread's processor time and by the clock.
struct Times {
  double cpu = std::numeric_limits<double>::max();
  double wall = std::numeric_limits<double>::max();
};

template <class Work>
void sweep(Work work, Times& best) {
  for (std::size_t i = 0; i < kSweeps; ++i) {
    double cpu = 0;
    best.wall = std::min(best.wall, wall_of([&] { cpu = cpu_of(work); }));
    best.cpu = std::min(best.cpu, cpu);
  }
}

template <class Work>
Times times_of(Work work) {
  Times best;
  sweep(work, best);
  return best;
}

/// Both, as microseconds a query.
void compare_times(Report& report, const std::string& name, const VectorSet& set, const Times& ours,
                   const Times& theirs);

/// CPU time of the fastest sweep.
template <class Work>
double best_of(Work work) {
  return times_of(work).cpu;
}

/// The share of `truth` that was found.
double recall(const Found& found, const Found& truth);

/// A set as a part, node i + 1 being row i, with the graph or bits that `form` asks for.
segment::DenseView part_of(const VectorSet& set, const segment::DenseForm& form, const Parallel* parallel = nullptr);

/// M 16, ef_construction 200.
segment::DenseForm with_graph(const VectorSet& set);

/// All queries of the set, `a_pass` at a time. `query` says how; the queries and the metric are the set's.
Found search_ours(const VectorSet& set, const std::vector<segment::DenseView>& views, segment::DenseQuery query,
                  std::size_t a_pass = 1, std::size_t k = kHits);

Found search_peer(const VectorSet& set, const VectorPeer& peer);

}  // namespace ragstone::bench
