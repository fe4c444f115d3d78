#pragma once

#include "store/segment/dense_search.hpp"
#include "store/segment/row_gate.hpp"

#include <cstddef>

namespace ragstone::segment {

/// How one part is searched.
struct DensePlan {
  enum class Way { scan, scan_selected, graph };

  Way way = Way::scan;
  Way without_graph = Way::scan;  ///< Instead of a walk that is given up.
  std::size_t wanted = 0;         ///< Candidates of a walk that pass.
  std::size_t ef = 0;             ///< So many of all, where those that pass are anywhere.
  std::size_t most_ef = 0;        ///< A walk with more would cost more than doing without the graph.
  double reached = 1;             ///< The graph's measured recall, where that is why it is not walked.
};

/// The way that is likely to cost least. Costs are in nanoseconds of a processor of 2023 with AVX-512; what counts is
/// their relation. `passing`: about how many rows of the part pass the gate.
DensePlan plan_dense(const DensePart& part, const RowGate& gate, std::size_t passing, const DenseQuery& query);

/// Whether all rows score the same for one of the queries: then the smallest ids are the answer, and a graph leads to
/// none of them.
bool is_of_zeros(const DenseQuery& query);

/// About how many rows pass: of a filter that tells row by row, by a sample.
std::size_t estimate_passing(const DensePart& part, const RowGate& gate);

}  // namespace ragstone::segment
