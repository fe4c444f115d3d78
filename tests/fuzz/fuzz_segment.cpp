#include "fuzz/targets.hpp"
#include "unit/store/segment_probe.hpp"
#include "unit/store/segment_samples.hpp"

#include <random>
#include <string>
#include <utility>

namespace ragstone::test {

void fuzz_segment(std::string_view bytes) {
  if (bytes.empty()) return;
  const std::string image(bytes.substr(1));
  segment::probe((bytes[0] & 1) == 0 ? segment::with_right_checksums(image) : image);
}

std::string fuzz_segment_sample(unsigned seed) {
  std::mt19937 random(seed);
  std::string sample(1, static_cast<char>(random()));
  const std::size_t rows = 1 + random() % 12;
  if (random() % 4 == 0) {
    // Posting lists of 128 and more have tables and packed blocks.
    if (random() % 4 == 0) return sample + segment::random_sparse(random, 130 + random() % 20, 3).image();
    return sample + segment::random_sparse(random, rows, 20).image();
  }
  if (random() % 4 == 0) {
    RandomFilters metadata(seed);
    return sample + segment::random_fields(metadata, rows).image();
  }
  const auto dimension = static_cast<std::uint32_t>(1 + random() % 5);
  const auto values = random() % 4 == 0 ? segment::Values::wild : segment::Values::unit;
  segment::DenseSample dense = segment::random_dense(random, rows, dimension, 1, values);
  // Copies share a node of a graph.
  if (random() % 2 == 0)
    for (std::size_t i = 0; i < dimension; ++i) dense.values[i] = dense.values[dense.values.size() - dimension + i];
  segment::DenseForm form;
  if (random() % 4 != 0) {
    constexpr Metric kMetrics[] = {Metric::cosine, Metric::inner_product, Metric::l2};
    form = segment::graph_form(kMetrics[random() % 3], 2 + random() % 2, 10);
  }
  form.bits = random() % 3 == 0;
  form.nibbles = random() % 3 == 0;
  form.nibble_elements = 1;
  return sample + dense.image(1, form);
}

}  // namespace ragstone::test
