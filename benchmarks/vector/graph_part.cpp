#include "store/own_threads.hpp"
#include "vector/parts.hpp"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace ragstone::bench {
namespace {

constexpr std::size_t kEfs[] = {10, 12, 14, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128, 192, 256, 384, 512};

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
    std::vector<double> seconds(contenders.size(), std::numeric_limits<double>::max());
    std::vector<Found> found(contenders.size());
    for (std::size_t round = 0; round < kRounds; ++round)
      for (std::size_t i = 0; i < contenders.size(); ++i)
        seconds[i] = std::min(seconds[i], best_of([&] { found[i] = contenders[i].search(ef); }));
    double least = 1;
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      const Point point{recall(found[i], truth), static_cast<double>(set.asked()) / seconds[i]};
      std::printf("  %-10s ef %4zu  recall %.4f  %8.0f queries a CPU second\n", contenders[i].name, ef, point.recall,
                  point.qps);
      contenders[i].curve.push_back(point);
      least = std::min(least, point.recall);
    }
    if (least >= 0.997) break;
  }
}

double resident_bytes(const segment::DensePart& part) {
  double bytes = static_cast<double>(part.rows()) / 8 + 16 * 4096;  // what a walk allocates, generously
  for (const auto section :
       {segment::SectionId::codes, segment::SectionId::code_scales, segment::SectionId::norms,
        segment::SectionId::graph_links, segment::SectionId::graph_upper, segment::SectionId::graph_factors})
    if (part.container().has(section)) bytes += static_cast<double>(part.container().bytes(section).size());
  return bytes;
}

void compare(const std::string& name, const std::vector<Point>& own, const std::vector<Point>& peer, Report& report) {
  for (const double wanted : {0.95, 0.99}) {
    const double a = qps_at(own, wanted), b = qps_at(peer, wanted);
    if (a > 0 && b > 0)
      report.cost_ratio(name + ", us a query at recall " + std::to_string(wanted).substr(0, 4) + ", ours / hnswlib",
                        1e6 / a, 1e6 / b);
  }
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
  const auto peer = hnswlib_graph(set.dimension, set.metric == Metric::l2);
  const double theirs = cpu_of([&] { peer->build(set.base, 1); });
  const double plain = cpu_of([&] { part_of(set, {}); });
  const double ours = cpu_of([&] { part_of(set, with_graph(set)); }) - plain;
  report.cost_ratio(set.name + ": build, CPU s, ours / hnswlib", ours, theirs);
  const OwnThreads one(1), two(2);
  const double rest = wall_of([&] { part_of(set, {}); });
  const double alone = wall_of([&] { part_of(set, with_graph(set), &one); }) - rest;
  const double together = wall_of([&] { part_of(set, with_graph(set), &two); }) - rest;
  report.cost_ratio(set.name + ": build, wall s, two threads / one", together, alone);
}

void measure_graphs(const VectorSet& set, const Kept& kept, Report& report) {
  std::printf("\n%s: graphs, M 16, efConstruction 200\n", set.name.c_str());
  const auto peer = kept.peer(set);
  segment::DenseQuery exact;
  exact.exact = true;
  const std::vector<segment::DenseView> in_memory = {kept.graph(set, false)};
  const std::vector<segment::DenseView> mapped = {kept.graph(set, true)};
  const Found truth = search_ours(set, in_memory, exact, 8);
  const auto count = static_cast<double>(set.rows());
  report.cost_ratio(set.name + ": bytes a vector in memory, ours / hnswlib", resident_bytes(*in_memory[0].part) / count,
                    static_cast<double>(peer->bytes()) / count);
  const auto search = [&](const std::vector<segment::DenseView>& views) {
    return [&](std::size_t ef) {
      segment::DenseQuery query;
      query.by_graph = true;
      query.ef = ef;
      return search_ours(set, views, query);
    };
  };
  const auto search_theirs = [&](std::size_t ef) {
    peer->set_ef(ef);
    return search_peer(set, *peer);
  };
  std::vector<Contender> contenders = {
      {"hnswlib", search_theirs, {}}, {"in memory", search(in_memory), {}}, {"mapped", search(mapped), {}}};
  draw_curves(set, truth, contenders);
  compare(set.name + ": graph", contenders[1].curve, contenders[0].curve, report);
  compare(set.name + ": graph, mapped file", contenders[2].curve, contenders[0].curve, report);
}

}  // namespace ragstone::bench
