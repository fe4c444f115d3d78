#include "store/segment/file_system.hpp"
#include "store/segment/image_sink.hpp"
#include "support/temporary_folder.hpp"
#include "vector/parts.hpp"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace ragstone::bench {
namespace {

double first_answer(const VectorSet& set, const segment::DensePart& part, const std::filesystem::path& file) {
  const auto files = segment::posix_file_system();
  {
    const auto out = files->create(file);
    segment::FileSink sink(*out);
    const std::vector<segment::DenseView> views = {{std::make_shared<const segment::DensePart>(part), {}}};
    segment::merge_dense(1, views, sink, {}, with_graph(set));
    sink.flush();
  }
  std::vector<double> times;
  for (int round = 0; round < 7; ++round)
    times.push_back(wall_of([&] {
      const std::vector<segment::DenseView> views = {
          {std::make_shared<const segment::DensePart>(files->open(file, true)), {}}};
      segment::DenseQuery query;
      query.queries = set.query(0);
      query.dimension = set.dimension;
      query.metric = set.metric;
      search_dense(views, query, {});
    }));
  std::sort(times.begin(), times.end());
  return 1e3 * times[times.size() / 2];
}

}  // namespace

void measure_openings(std::size_t large, Report& report) {
  const test::TemporaryFolder folder;
  const auto time_of = [&](std::size_t rows) {
    const VectorSet set = clustered_384(rows, 1);
    return first_answer(set, *part_of(set, {}).part, folder.path() / std::to_string(rows));
  };
  const double small = time_of(large / 10);
  const double whole = time_of(large);
  report.cost_ratio("open to first answer, ms, " + std::to_string(large / 10) + " / " + std::to_string(large) + " rows",
                    small, whole);
}

}  // namespace ragstone::bench
