#include "store/segment/dense_plan.hpp"

#include <algorithm>
#include <cmath>

namespace ragstone::segment {
namespace {

// Rows that a walk measures for each candidate that it follows (benchmarks/vector).
constexpr double kMeasuredForCandidate = 12;
// To ask a filter about one row where it does not select.
constexpr double kFilterCost = 400;
constexpr std::size_t kSample = 128;
// Filters that leave fewer rows make a walk a scan of the whole graph.
constexpr double kLeastShare = 0.002;

double scan_cost(const DensePart& part, const DenseQuery& query) {
  const auto dimension = static_cast<double>(part.dimension());
  const bool by_bits = query.form == FlatForm::bits && part.has_bits() && !query.exact;
  const bool by_nibbles =
      query.form >= FlatForm::nibbles && part.has_nibbles() && query.queries.size() <= kMostByNibbles * query.dimension;
  return static_cast<double>(part.rows()) * (dimension / (by_bits ? 150 : by_nibbles ? 40 : 25) + 3);
}

double selected_cost(const DensePart& part, std::size_t passing) {
  return static_cast<double>(passing) * (static_cast<double>(part.dimension()) / 25 + 5);
}

constexpr double kWalkCost = 3000;

double candidate_cost(const DensePart& part, const RowGate& gate) {
  const double row = static_cast<double>(part.dimension()) / 7 + 40;
  return kMeasuredForCandidate * (row + (gate.asks_each_row() ? kFilterCost : 0));
}

}  // namespace

bool is_of_zeros(const DenseQuery& query) {
  if (query.metric == Metric::l2 || query.metric == Metric::hamming || query.dimension == 0) return false;
  for (std::size_t begin = 0; begin < query.queries.size(); begin += query.dimension) {
    const auto one = query.queries.subspan(begin, query.dimension);
    if (std::all_of(one.begin(), one.end(), [](float element) { return element == 0; })) return true;
  }
  return false;
}

std::size_t estimate_passing(const DensePart& part, const RowGate& gate) {
  if (!gate.asks_each_row() || part.rows() <= kSample) return gate.most();
  std::size_t passed = 0;
  for (std::size_t i = 0; i < kSample; ++i)
    passed += gate.admits(static_cast<std::uint32_t>((2 * i + 1) * part.rows() / (2 * kSample))) ? 1 : 0;
  return std::max<std::size_t>(1, passed * part.rows() / kSample);
}

DensePlan plan_dense(const DensePart& part, const RowGate& gate, std::size_t passing, const DenseQuery& query) {
  DensePlan plan;
  const bool selects = gate.selected() != nullptr && passing < part.rows();
  double cost = scan_cost(part, query);
  if (selects && selected_cost(part, passing) < cost) {
    plan.way = plan.without_graph = DensePlan::Way::scan_selected;
    cost = selected_cost(part, passing);
  }
  const graph::Graph* graph = part.graph();
  if (graph == nullptr || query.exact || graph->header().metric != graph::metric_code(query.metric)) return plan;
  if (is_of_zeros(query)) return plan;
  const double share = static_cast<double>(std::max<std::size_t>(1, passing)) / static_cast<double>(part.rows());
  if (share < kLeastShare && !query.by_graph) return plan;
  // As it is stored: 0.95 is a little less there.
  const auto wanted_recall = static_cast<double>(static_cast<float>(query.recall));
  if (query.ef == 0 && !query.by_graph && graph->best_recall() < wanted_recall) {
    plan.reached = graph->best_recall();
    return plan;
  }
  const std::size_t ef = std::max(query.ef > 0 ? query.ef : graph->ef_for(query.recall, query.k), query.k);
  const double raised = std::ceil(static_cast<double>(ef) / share);
  const double most = std::max(0.0, cost - kWalkCost) / candidate_cost(part, gate);
  if (raised >= most && !query.by_graph) return plan;
  plan.way = DensePlan::Way::graph;
  plan.wanted = ef;
  plan.ef = static_cast<std::size_t>(raised);
  plan.most_ef = query.by_graph ? part.rows() : static_cast<std::size_t>(most);
  return plan;
}

}  // namespace ragstone::segment
