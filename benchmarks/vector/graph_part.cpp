#include "store/own_threads.hpp"
#include "vector/parts.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <malloc.h>

namespace ragstone::bench {
namespace {

constexpr std::size_t kEfs[] = {10, 12, 14, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128, 192, 256, 384, 512};

struct Point {
  double recall = 0;
  Times sweep;
};

/// Of a sweep at a recall: queries a second are interpolated between the points around it; none where the curve does
/// not reach it.
std::optional<Times> times_at(const std::vector<Point>& curve, double wanted) {
  const auto above =
      std::find_if(curve.begin(), curve.end(), [&](const Point& point) { return point.recall >= wanted; });
  if (above == curve.end()) return std::nullopt;
  if (above == curve.begin() || above->recall <= above[-1].recall) return above->sweep;
  const double part = (wanted - above[-1].recall) / (above->recall - above[-1].recall);
  const auto between = [&](double before, double after) { return 1 / ((1 - part) / before + part / after); };
  return Times{between(above[-1].sweep.cpu, above->sweep.cpu), between(above[-1].sweep.wall, above->sweep.wall)};
}

/// What is compared: its search with an ef, and what was measured of it.
struct Contender {
  const char* name;
  std::function<Found(std::size_t)> search;
  std::vector<Point> curve;
};

/// In turn at each ef, so that a machine that is slow for a while is slow for all.
void draw_curves(const VectorSet& set, const Found& truth, std::vector<Contender>& contenders) {
  constexpr std::size_t kRounds = 3;
  for (const std::size_t ef : kEfs) {
    std::vector<Times> times(contenders.size());
    std::vector<Found> found(contenders.size());
    for (std::size_t round = 0; round < kRounds; ++round)
      for (std::size_t i = 0; i < contenders.size(); ++i) sweep([&] { found[i] = contenders[i].search(ef); }, times[i]);
    double least = 1;
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      const Point point{recall(found[i], truth), times[i]};
      std::printf("  %-10s ef %4zu  recall %.4f  %8.0f queries a CPU second\n", contenders[i].name, ef, point.recall,
                  static_cast<double>(set.asked()) / point.sweep.cpu);
      contenders[i].curve.push_back(point);
      least = std::min(least, point.recall);
    }
    if (least >= 0.997) break;
  }
}

/// Of the links and codes in a mapped file, which walks read.
double mapped_bytes(const segment::DensePart& part) {
  double bytes = 0;
  for (const auto section :
       {segment::SectionId::codes, segment::SectionId::code_scales, segment::SectionId::norms,
        segment::SectionId::graph_links, segment::SectionId::graph_upper, segment::SectionId::graph_factors})
    if (part.container().has(section)) bytes += static_cast<double>(part.container().bytes(section).size());
  return bytes;
}

/// Anonymous bytes that are there after `work` and were not before.
template <class Work>
double anonymous_bytes_of(Work work) {
  ::malloc_trim(0);
  const double before = memory_counts().anonymous_mib;
  work();
  ::malloc_trim(0);
  return (memory_counts().anonymous_mib - before) * 1024 * 1024;
}

void compare(const std::string& name, const Contender& own, const Contender& peer, const VectorSet& set,
             Report& report) {
  for (const double wanted : {0.95, 0.99}) {
    const auto ours = times_at(own.curve, wanted), theirs = times_at(peer.curve, wanted);
    if (ours && theirs)
      compare_times(report, name + " at recall " + std::to_string(wanted).substr(0, 4) + ", ours / " + peer.name, set,
                    *ours, *theirs);
  }
}

void compare_recall(const std::string& name, const std::vector<Point>& own, const std::vector<Point>& peer,
                    Report& report) {
  const std::size_t common = std::min(own.size(), peer.size());
  double least = 1, sum = 0;
  for (std::size_t i = 0; i < common; ++i) {
    const double above = own[i].recall - peer[i].recall;
    least = std::min(least, above);
    sum += above;
  }
  report.figure(name + ", recall above hnswlib's at equal ef, at least", least, "");
  report.figure(name + ", recall above hnswlib's at equal ef, mean", sum / static_cast<double>(common), "");
}

}  // namespace

void measure_builds(const VectorSet& set, Report& report) {
  // In turn, the best of them; large sets take long.
  const std::size_t rounds = set.rows() <= 100'000 ? 3 : 1;
  const auto peer = hnswlib_graph(set.dimension, set.metric == Metric::l2);
  const OwnThreads one(1), two(2);
  double theirs = HUGE_VAL, ours = HUGE_VAL, alone = HUGE_VAL, together = HUGE_VAL;
  for (std::size_t round = 0; round < rounds; ++round) {
    theirs = std::min(theirs, cpu_of([&] { peer->build(set.base, 1); }));
    double plain = 0;
    const double rest = wall_of([&] { plain = cpu_of([&] { part_of(set, {}); }); });
    ours = std::min(ours, cpu_of([&] { part_of(set, with_graph(set)); }) - plain);
    alone = std::min(alone, wall_of([&] { part_of(set, with_graph(set), &one); }) - rest);
    together = std::min(together, wall_of([&] { part_of(set, with_graph(set), &two); }) - rest);
  }
  report.cost_ratio(set.name + ": build, CPU s, ours / hnswlib", ours, theirs);
  report.cost_ratio(set.name + ": build, wall s, two threads / one", together, alone);
}

void measure_graphs(const VectorSet& set, const Kept& kept, Report& report) {
  std::printf("\n%s: graphs, M 16, efConstruction 200\n", set.name.c_str());
  const auto search = [&](const std::vector<segment::DenseView>& views) {
    return [&](std::size_t ef) {
      segment::DenseQuery query;
      query.by_graph = true;
      query.ef = ef;
      return search_ours(set, views, query);
    };
  };
  const auto search_theirs = [&](VectorPeer& peer) {
    return [&](std::size_t ef) {
      peer.set_ef(ef);
      return search_peer(set, peer);
    };
  };
  // Builds what is not there yet, so that only what is loaded is counted then.
  kept.hnswlib(set);
  kept.graph(set, true);
  std::unique_ptr<VectorPeer> hnswlib;
  std::vector<segment::DenseView> mapped;
  constexpr std::size_t kEf = 64;
  const double theirs = anonymous_bytes_of([&] {
    hnswlib = kept.hnswlib(set);
    const auto ask = search_theirs(*hnswlib);
    ask(kEf);
  });
  const double ours = anonymous_bytes_of([&] {
    mapped = {kept.graph(set, true)};
    const auto ask = search(mapped);
    ask(kEf);
  });
  const auto count = static_cast<double>(set.rows());
  report.figure(set.name + ": anonymous bytes a vector, mapped file", ours / count, "");
  report.cost_ratio(set.name + ": bytes a vector, anonymous and mapped links and codes, ours / hnswlib",
                    (ours + mapped_bytes(*mapped[0].part)) / count, theirs / count);

  const std::vector<segment::DenseView> in_memory = {kept.graph(set, false)};
  // Debian's build of it has few vector instructions: larger sets would take it long.
  const auto faiss = set.rows() <= 50'000 ? kept.faiss(set) : nullptr;
  segment::DenseQuery exact;
  exact.exact = true;
  const Found truth = search_ours(set, in_memory, exact, 8);
  std::vector<Contender> contenders = {
      {"in memory", search(in_memory), {}}, {"mapped", search(mapped), {}}, {"hnswlib", search_theirs(*hnswlib), {}}};
  if (faiss) contenders.push_back({"faiss", search_theirs(*faiss), {}});
  draw_curves(set, truth, contenders);
  for (std::size_t peer = 2; peer < contenders.size(); ++peer)
    for (const std::size_t own : {0, 1})
      compare(set.name + (own == 0 ? ": graph" : ": graph, mapped file"), contenders[own], contenders[peer], set,
              report);
  compare_recall(set.name + ": graph", contenders[0].curve, contenders[2].curve, report);
}

}  // namespace ragstone::bench
