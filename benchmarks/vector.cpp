// Vector search against hnswlib and faiss (Debian's builds) in this process, on real sets (mnist-784, text-256) and a
// generated one of 200,000 x 384: exact answers, several queries a pass, graphs at equal recall (faiss's of up to
// 50,000 rows), filters (of rows by chance, and of one region), build time (of three in turn; of one for 200,000 rows),
// memory (anonymous, and what is mapped of links and codes), and the time from opening a mapped segment to its first
// answer. Times are those of the best of three sweeps over the queries (of nine with graphs, in turn), by the thread's
// CPU time and by the clock; builds by two threads and openings by the clock. QPS at a recall is interpolated on the
// grid of ef. --quick takes text-256 and smaller generated sets. benchmarks/peers has what npm offers.
//
// RAGSTONE_VECTOR_SETS names some sets (text-256, mnist-784, clustered, million, opening) and RAGSTONE_VECTOR_PARTS
// some parts (scans, graphs, filters, builds) to run those alone. RAGSTONE_VECTOR_KEPT is a folder where generated sets
// and graphs stay for the next run.

#include "kernel/simd.hpp"
#include "vector/parts.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>

namespace {

using namespace ragstone;

/// Whether the variable is not set, or names it.
bool wants(const char* variable, const std::string& name) {
  const char* only = std::getenv(variable);
  return only == nullptr || std::string(only).find(name) != std::string::npos;
}

void measure(const bench::VectorSet& set, std::size_t scanned_queries, const bench::Kept& kept, bench::Report& report) {
  const auto part = [](const char* name) { return wants("RAGSTONE_VECTOR_PARTS", name); };
  if (part("scans")) bench::measure_scans(set, scanned_queries, report);
  if (part("graphs")) bench::measure_graphs(set, kept, report);
  if (part("filters")) bench::measure_filters(set, kept, report);
  if (part("builds")) bench::measure_builds(set, report);
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Arguments arguments(argc, argv);
  const auto wanted = [](const char* name) { return wants("RAGSTONE_VECTOR_SETS", name); };
  const std::size_t queries = arguments.quick ? 500 : 2000;
  try {
    bench::Report report("vector");
    const bench::Kept kept(std::getenv("RAGSTONE_VECTOR_KEPT"));
    std::printf("instruction set: %s\n", kernel::simd().name);
    if (wanted("text-256"))
      if (auto set = bench::text_256(queries)) measure(*set, 200, kept, report);
    if (!arguments.quick && wanted("mnist-784"))
      if (auto set = bench::mnist_784(queries)) measure(*set, 200, kept, report);
    const auto clustered = [&](const std::string& name, std::size_t rows) {
      measure(kept.set(name, [&] { return bench::clustered_384(rows, 1000); }), 100, kept, report);
    };
    if (arguments.quick && wanted("clustered")) clustered("clustered-384-20000", 20'000);
    if (!arguments.quick && wanted("clustered")) clustered("clustered-384-200000", 200'000);
    // Takes half an hour: only if it is named.
    if (std::getenv("RAGSTONE_VECTOR_SETS") != nullptr && wanted("million")) clustered("million-384", 1'000'000);
    if (wanted("opening")) bench::measure_openings(arguments.quick ? 20'000 : 100'000, report);
    report.write(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
