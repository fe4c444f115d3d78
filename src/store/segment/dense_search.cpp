#include "store/segment/dense_search.hpp"

#include "index/graph/walk.hpp"
#include "store/segment/dense_plan.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <optional>
#include <utility>

namespace ragstone::segment {
namespace {

// Rows of a range that one thread scans at a time; fewer are not worth another thread.
constexpr std::size_t kRowsOfThread = 32'768;

/// Rows of a part that are scanned.
struct Range {
  std::size_t part = 0;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

class GateTest final : public graph::NodeTest {
 public:
  GateTest(const graph::Graph& graph, const RowGate& gate) : graph_(graph), gate_(gate) {}

  bool admits(std::uint32_t node) const override {
    if (gate_.admits(node)) return true;
    const auto copies = graph_.copies(node);
    return std::any_of(copies.begin(), copies.end(), [&](std::uint32_t row) { return gate_.admits(row); });
  }

 private:
  const graph::Graph& graph_;
  const RowGate& gate_;
};

class DenseSearch {
 public:
  DenseSearch(std::span<const DenseView> parts, const DenseQuery& query, const StopToken& stop)
      : parts_(parts), query_(query), stop_(stop), poll_(stop), flat_(fresh()) {
    gates_.reserve(parts.size());
    for (const DenseView& part : parts) gates_.emplace_back(part, query.filter, stop);
  }

  DenseHits run() && {
    for (std::size_t p = 0; p < parts_.size(); ++p) {
      const DensePart& part = *parts_[p].part;
      if (part.rows() == 0 || gates_[p].most() == 0) continue;
      const DensePlan plan = plan_dense(part, gates_[p], estimate_passing(part, gates_[p]), query_);
      if (plan.way == DensePlan::Way::graph && walk(p, plan)) continue;
      note_recall(part, plan);
      if (plan.without_graph == DensePlan::Way::scan) part.expect_scan();
      add_ranges(p);
      (plan.without_graph == DensePlan::Way::scan ? scanned_ : selected_) += gates_[p].most();
    }
    scan();
    DenseHits result;
    result.hits = std::move(flat_).take(poll_);
    result.plan = describe();
    return result;
  }

 private:
  FlatSearch fresh() const {
    const FlatForm form = query_.exact ? std::min(query_.form, FlatForm::nibbles) : query_.form;
    return FlatSearch(query_.queries, query_.dimension, query_.metric, query_.k, form);
  }

  void add_ranges(std::size_t p) {
    const auto rows = static_cast<std::uint32_t>(parts_[p].part->rows());
    for (std::uint32_t begin = 0; begin < rows;) {
      const std::uint32_t end = rows - begin < 2 * kRowsOfThread ? rows : begin + kRowsOfThread;
      ranges_.push_back({p, begin, end});
      begin = end;
    }
  }

  void scan() {
    // A filter that is asked row by row is for one thread.
    const bool alone = query_.parallel == nullptr || std::any_of(gates_.begin(), gates_.end(), [](const RowGate& gate) {
                         return gate.asks_each_row();
                       });
    std::size_t rows = 0;
    for (const Range& range : ranges_) rows += range.end - range.begin;
    const std::size_t width = alone ? 1 : std::min(query_.parallel->width(), rows / kRowsOfThread);
    if (width < 2) {
      for (const Range& range : ranges_) scan(range, flat_, poll_);
      return;
    }
    std::vector<FlatSearch> searches(width, fresh());
    std::atomic<std::size_t> next{0};
    query_.parallel->run(width, [&](std::size_t thread) {
      kernel::StopPoll poll(stop_);
      for (std::size_t i = next++; i < ranges_.size(); i = next++) scan(ranges_[i], searches[thread], poll);
    });
    for (FlatSearch& search : searches) flat_.absorb(std::move(search));
  }

  void scan(const Range& range, FlatSearch& search, kernel::StopPoll& poll) const {
    search.scan(*parts_[range.part].part, gates_[range.part], range.begin, range.end, poll);
  }

  /// False if a walk was given up: then no row of the part has been scored.
  bool walk(std::size_t p, const DensePlan& plan) {
    std::vector<std::vector<std::uint32_t>> found;
    for (std::size_t q = 0; q * query_.dimension < query_.queries.size(); ++q) {
      auto rows = walk_far_enough(p, plan, query_.queries.subspan(q * query_.dimension, query_.dimension));
      if (!rows) {
        given_up_ += parts_[p].part->rows();
        return false;
      }
      found.push_back(std::move(*rows));
    }
    const DensePart& part = *parts_[p].part;
    for (std::size_t q = 0; q < found.size(); ++q) {
      part.read_soon(found[q]);
      flat_.score(q, part, gates_[p], found[q], poll_);
    }
    part.read_ahead();
    walked_ += part.rows();
    return true;
  }

  /// How many candidates should have been followed, so that about as many pass as a walk without a filter follows.
  /// Where those that pass are rarer near the query than elsewhere, the list must also go on behind the hits as it does
  /// without a filter: what is last in it has been looked for the least.
  std::size_t far_enough(const graph::Walked& walked, const DensePlan& plan) const {
    const bool enough_pass = 4 * walked.admitted >= 3 * plan.wanted;
    const std::size_t passing =
        enough_pass ? 0 : plan.wanted * walked.followed / std::max<std::size_t>(1, walked.admitted);
    const std::size_t needed = walked.to_hits * plan.wanted / query_.k;
    return std::max(passing, needed < 2 * plan.ef ? 0 : needed + needed / 2);
  }

  /// The plan takes the rows that pass for spread evenly. Where they are rare near the query, as those of another
  /// language are, or of a source that was removed, more candidates are followed.
  std::optional<std::vector<std::uint32_t>> walk_far_enough(std::size_t p, const DensePlan& plan,
                                                            std::span<const float> vector) {
    const graph::Graph& graph = *parts_[p].part->graph();
    const GateTest test(graph, gates_[p]);
    const bool all = gates_[p].is_open() && parts_[p].dead.empty();
    const graph::CodeVector codes = graph::CodeVector::of(vector, query_.metric);
    for (std::size_t ef = plan.ef; ef == plan.ef || ef < plan.most_ef;) {
      const graph::WalkOptions options{ef, graph::kept_for(query_.k, ef), all ? nullptr : &test, query_.k};
      const graph::Walked walked = graph::walk(graph, parts_[p].part->code_rows(), codes, options, poll_);
      ef_ = std::max(ef_, ef);
      const bool is_all = walked.followed < ef;  // That can be reached.
      const std::size_t enough = far_enough(walked, plan);
      if (is_all || walked.followed >= enough) {
        std::vector<std::uint32_t> rows = rows_of(p, walked.nearest);
        if (passing(p, rows) >= std::min(query_.k, gates_[p].most())) return rows;
        if (is_all) return std::nullopt;
      }
      ef = std::clamp(enough, ef + ef / 2 + 1, 8 * ef);
    }
    return std::nullopt;
  }

  /// Copies of a node that pass, too: not all, where very many are the same.
  std::vector<std::uint32_t> rows_of(std::size_t p, std::span<const graph::Near> near) const {
    const std::size_t most = graph::most_copies(query_.k);
    std::vector<std::uint32_t> rows;
    for (const graph::Near& node : near) {
      rows.push_back(node.node);
      std::size_t copies = 0;
      for (const std::uint32_t row : parts_[p].part->graph()->copies(node.node)) {
        if (!gates_[p].admits(row)) continue;
        rows.push_back(row);
        if (++copies == most) break;
      }
    }
    return rows;
  }

  std::size_t passing(std::size_t p, std::span<const std::uint32_t> rows) const {
    return static_cast<std::size_t>(
        std::count_if(rows.begin(), rows.end(), [&](std::uint32_t row) { return gates_[p].admits(row); }));
  }

  void note_recall(const DensePart& part, const DensePlan& plan) {
    if (plan.reached >= 1) return;
    if (part.graph()->header().measured == 0) {
      unmeasured_ = true;
    } else {
      reached_ = std::min(reached_, plan.reached);
    }
  }

  std::string describe() const {
    std::string text;
    const auto add = [&](const std::string& piece) { text += (text.empty() ? "" : ", ") + piece; };
    if (walked_ > 0) add("graph over " + std::to_string(walked_) + " rows with ef " + std::to_string(ef_));
    if (selected_ > 0) add("scan of " + std::to_string(selected_) + " selected rows");
    if (scanned_ > 0 || text.empty()) add("scan of " + std::to_string(scanned_) + " rows");
    if (reached_ < 1) {
      // Rounded down, so that it is less than what was asked for in print, too; but for what a float has lost.
      char recalls[64];
      std::snprintf(recalls, sizeof recalls, "%.4f was measured, not %g", std::floor(reached_ * 1e4 + 1e-3) / 1e4,
                    query_.recall);
      text += std::string("; along the graph a recall of ") + recalls;
    }
    if (unmeasured_) text += "; along the graph no recall was measured";
    if (given_up_ > 0) text += "; walks over " + std::to_string(given_up_) + " rows were given up";
    const bool has_other = std::any_of(parts_.begin(), parts_.end(), [&](const DenseView& view) {
      const graph::Graph* graph = view.part->graph();
      return graph != nullptr && graph->header().metric != graph::metric_code(query_.metric);
    });
    if (has_other) text += "; the graph is of another metric";
    if (is_of_zeros(query_)) text += "; a query of zeros is near no row";
    return text;
  }

  std::span<const DenseView> parts_;
  const DenseQuery& query_;
  const StopToken& stop_;
  kernel::StopPoll poll_;
  FlatSearch flat_;
  std::vector<RowGate> gates_;
  std::vector<Range> ranges_;
  std::size_t walked_ = 0;
  std::size_t selected_ = 0;
  std::size_t scanned_ = 0;
  std::size_t given_up_ = 0;
  std::size_t ef_ = 0;
  double reached_ = 1;
  bool unmeasured_ = false;  ///< Of a graph that is not walked for that.
};

}  // namespace

DenseQuery query_of(const VectorSearch& search, const RowFilter* filter) {
  DenseQuery query;
  query.queries = search.queries;
  query.dimension = search.dimension;
  query.metric = search.metric;
  query.filter = filter;
  query.k = search.k;
  query.exact = search.exact;
  query.recall = search.recall;
  query.ef = search.ef;
  query.parallel = search.parallel;
  return query;
}

DenseHits search_dense(std::span<const DenseView> parts, const DenseQuery& query, const StopToken& stop) {
  for (const DenseView& part : parts)
    if (part.part->dimension() != query.dimension)
      throw Error(Errc::dimension_mismatch, "vector search: the query has dimension " +
                                                std::to_string(query.dimension) + ", a segment has " +
                                                std::to_string(part.part->dimension()));
  std::size_t rows = 0;
  for (const DenseView& part : parts) rows += part.part->rows();
  DenseQuery within = query;
  within.k = std::min(query.k, rows);
  DenseHits none;
  none.hits.resize(query.dimension == 0 ? 0 : query.queries.size() / query.dimension);
  if (within.k == 0 || query.queries.empty()) return none;
  return DenseSearch(parts, within, stop).run();
}

std::vector<ScoredNode> search_dense(std::span<const DenseView> parts, std::span<const float> query, Metric metric,
                                     const RowFilter* filter, std::size_t k, const StopToken& stop) {
  DenseQuery exact;
  exact.queries = query;
  exact.dimension = query.size();
  exact.metric = metric;
  exact.filter = filter;
  exact.k = k;
  exact.exact = true;
  DenseHits found = search_dense(parts, exact, stop);
  return found.hits.empty() ? std::vector<ScoredNode>() : std::move(found.hits.front());
}

}  // namespace ragstone::segment
