#pragma once

#include "support/report.hpp"
#include "vector/kept.hpp"
#include "vector/measure.hpp"

#include <cstddef>

/// The parts of the benchmark `vector`, each of which can run alone.
namespace ragstone::bench {

/// Exact answers to the first `asked` queries, one by one and several a pass, and the bandwidth of the scans.
void measure_scans(VectorSet set, std::size_t asked, Report& report);

/// Time to build, by one thread and by two.
void measure_builds(const VectorSet& set, Report& report);

/// Queries a second at equal recall, and memory.
void measure_graphs(const VectorSet& set, const Kept& kept, Report& report);

/// Answers among some of the rows.
void measure_filters(const VectorSet& set, const Kept& kept, Report& report);

/// From opening mapped segments of `large` rows, and a tenth of that, to the first answer.
void measure_openings(std::size_t large, Report& report);

}  // namespace ragstone::bench
