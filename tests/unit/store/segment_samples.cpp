#include "unit/store/segment_samples.hpp"

#include "index/sparse_scorer.hpp"
#include "index/vector_scorer.hpp"
#include "kernel/distance.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

namespace ragstone::segment {
namespace {

std::vector<RowKey> random_keys(std::mt19937& random, std::size_t rows, NodeId first) {
  std::vector<RowKey> keys;
  NodeId node = first;
  for (std::size_t row = 0; row < rows; ++row) {
    RowKey key;
    key.node = node;
    key.source = static_cast<SourceNumber>(1 + node / 10);
    key.content = row > 0 && random() % 4 == 0 ? keys[random() % row].content : hash128(std::to_string(random()));
    keys.push_back(key);
    node += 1 + random() % 3;
  }
  return keys;
}

float wild_number(std::mt19937& random) {
  constexpr float kNumbers[] = {0, -0.0f, 1e-45f, -3e-42f, 1e-30f, -1e-30f, 1e-20f,
                                1, -2.5f, 1e10f,  1e30f,   -1e30f, 3e38f};
  return kNumbers[random() % std::size(kNumbers)];
}

template <class Sample>
std::vector<std::pair<std::size_t, std::size_t>> live_rows(std::span<const Sample> samples,
                                                           std::span<const DeadRows> dead) {
  std::vector<std::pair<std::size_t, std::size_t>> rows;
  for (std::size_t s = 0; s < samples.size(); ++s)
    for (std::uint32_t row = 0; row < samples[s].keys.size(); ++row)
      if (!dead[s].contains(row)) rows.emplace_back(s, row);
  return rows;
}

std::vector<ScoredNode> best_of(std::vector<ScoredNode> hits, std::size_t k) {
  std::sort(hits.begin(), hits.end(), ranks_before);
  hits.resize(std::min(k, hits.size()));
  return hits;
}

float weight_of(std::span<const TermWeight> terms, const std::string& term) {
  const auto found = std::lower_bound(terms.begin(), terms.end(), term,
                                      [](const TermWeight& t, const std::string& text) { return t.term < text; });
  return found == terms.end() || found->term != term ? 0 : found->weight;
}

}  // namespace

std::shared_ptr<const DensePart> DenseSample::part(const DenseForm& form) const {
  return std::make_shared<const DensePart>(heap_image(image(1, form)));
}

DenseForm graph_form(Metric metric, std::size_t m, std::size_t ef_construction) {
  DenseForm form;
  form.graph = graph::BuildOptions{metric, m, ef_construction};
  form.graph_rows = 1;
  return form;
}

DenseForm nibble_form() {
  DenseForm form;
  form.nibbles = true;
  form.nibble_elements = 1;
  return form;
}

std::vector<float> random_vector(std::mt19937& random, std::uint32_t dimension, Values values) {
  std::vector<float> vector(dimension);
  if (values == Values::wild) {
    const bool mixed = random() % 2 == 0;
    const float one = wild_number(random);
    for (float& value : vector) value = mixed ? wild_number(random) : one * static_cast<float>(random() % 3);
    // What overflowed is of no use as an element.
    for (float& value : vector) value = std::isfinite(value) ? value : 3e38f;
    return vector;
  }
  std::normal_distribution<float> normal;
  for (float& value : vector) value = normal(random);
  const auto length = static_cast<float>(kernel::norm(vector));
  for (float& value : vector) value = length > 0 ? value / length : 0;
  return vector;
}

DenseSample random_dense(std::mt19937& random, std::size_t rows, std::uint32_t dimension, NodeId first, Values values) {
  DenseSample sample;
  sample.dimension = dimension;
  sample.keys = random_keys(random, rows, first);
  for (std::size_t row = 0; row < rows; ++row) {
    const std::vector<float> vector = random_vector(random, dimension, values);
    sample.values.insert(sample.values.end(), vector.begin(), vector.end());
  }
  return sample;
}

DenseSample clustered(std::mt19937& random, std::size_t rows, std::uint32_t dimension) {
  std::vector<std::vector<float>> centres;
  for (std::size_t i = 0; i < 1 + rows / 100; ++i) centres.push_back(random_vector(random, dimension));
  DenseSample sample = random_dense(random, rows, dimension);
  for (std::size_t row = 0; row < rows; ++row) {
    const std::vector<float>& centre = centres[random() % centres.size()];
    for (std::uint32_t i = 0; i < dimension; ++i) (&sample.values[row * dimension])[i] += 2 * centre[i];
  }
  return sample;
}

std::string SparseSample::image(Generation generation) const {
  SparseVectors vectors;
  for (const auto& row : terms) vectors.append(row);
  std::vector<SparseRow> rows;
  for (std::uint32_t row = 0; row < keys.size(); ++row) rows.push_back({keys[row], &vectors, row, lengths[row]});
  return build_sparse(generation, rows);
}

std::shared_ptr<const SparsePart> SparseSample::part() const {
  return std::make_shared<const SparsePart>(heap_image(image()));
}

std::string sample_word(std::size_t number) {
  static const char* const kChinese[] = {"数据", "数据库", "检", "检索", "索引"};
  if (number % 7 == 3) return kChinese[number / 7 % std::size(kChinese)] + std::to_string(number);
  return (number % 3 == 0 ? "pre" : "word") + std::to_string(number * 7919 % 10'007);
}

SparseSample random_sparse(std::mt19937& random, std::size_t rows, std::size_t words, NodeId first) {
  SparseSample sample;
  sample.keys = random_keys(random, rows, first);
  std::uniform_real_distribution<double> uniform(0, 1);
  for (std::size_t row = 0; row < rows; ++row) {
    std::map<std::string, float> counts;
    std::uint32_t length = 0;
    for (auto n = random() % 30; n > 0; --n, ++length)
      // Squared: the first words are frequent.
      ++counts[sample_word(static_cast<std::size_t>(static_cast<double>(words) * std::pow(uniform(random), 3)))];
    if (random() % 20 == 0) counts["fraction"] = 0.37f;
    if (random() % 20 == 0) counts["many"] = 1e9f;
    if (random() % 9 == 0) counts[std::string("zero\0\0", 4 + random() % 3)] = 1;
    std::vector<TermWeight>& terms = sample.terms.emplace_back();
    for (const auto& [term, weight] : counts) terms.push_back({term, weight});
    sample.lengths.push_back(length);
  }
  return sample;
}

std::vector<TermWeight> random_query(std::mt19937& random, std::size_t words) {
  std::map<std::string, float> terms;
  for (auto n = 1 + random() % 5; n > 0; --n)
    terms[sample_word(random() % words)] = static_cast<float>(1 + random() % 2);
  if (random() % 4 == 0) terms["fraction"] = 0.5f;
  if (random() % 4 == 0) terms["unknown"] = 1;
  std::vector<TermWeight> query;
  for (const auto& [term, weight] : terms) query.push_back({term, weight});
  return query;
}

std::string FieldSample::image(Generation generation) const {
  std::vector<std::string> names = test::RandomFilters::names();
  std::sort(names.begin(), names.end());
  std::vector<std::optional<Scalar>> values;
  for (const Metadata& row : metadata)
    for (const std::string& name : names) {
      const Scalar* value = row.find(name);
      values.push_back(value ? std::optional(*value) : std::nullopt);
    }
  return build_fields(generation, names, keys, values);
}

std::shared_ptr<const FieldPart> FieldSample::part() const {
  return std::make_shared<const FieldPart>(heap_image(image()));
}

FieldSample random_fields(test::RandomFilters& random, std::size_t rows, NodeId first) {
  FieldSample sample;
  for (std::size_t row = 0; row < rows; ++row) {
    sample.keys.push_back({first, static_cast<SourceNumber>(row + 1), Hash128()});
    first += 1 + random.below(3);
    sample.metadata.push_back(random.metadata());
  }
  return sample;
}

DeadRows random_dead(std::mt19937& random, std::size_t rows, double share) {
  std::vector<std::uint32_t> dead;
  for (std::uint32_t row = 0; row < rows; ++row)
    if (std::uniform_real_distribution<double>(0, 1)(random) < share) dead.push_back(row);
  return DeadRows().with(dead);
}

std::vector<ScoredNode> plain_search(std::span<const DenseSample> samples, std::span<const DeadRows> dead,
                                     std::span<const float> query, Metric metric, const RowFilter* filter,
                                     std::size_t k) {
  const VectorScorer scorer(query, metric);
  std::vector<ScoredNode> hits;
  for (const auto& [s, row] : live_rows(samples, dead)) {
    const RowKey& key = samples[s].keys[row];
    if (filter != nullptr && !filter->allows(key.node, key.source)) continue;
    const std::span<const float> vector = samples[s].vector(row);
    hits.push_back({key.node, scorer.score(vector, kernel::norm(vector))});
  }
  return best_of(std::move(hits), k);
}

SparseTotals live_totals(std::span<const SparseSample> samples, std::span<const DeadRows> dead) {
  SparseTotals totals;
  for (const auto& [s, row] : live_rows(samples, dead)) {
    ++totals.nodes;
    totals.tokens += samples[s].lengths[row];
  }
  return totals;
}

std::vector<ScoredNode> plain_search(std::span<const SparseSample> samples, std::span<const DeadRows> dead,
                                     std::span<const TermWeight> query, const Bm25Parameters* parameters,
                                     const RowFilter* filter, std::size_t k) {
  const auto rows = live_rows(samples, dead);
  const SparseTotals totals = live_totals(samples, dead);
  SparseScorer scorer =
      parameters != nullptr ? SparseScorer(Bm25Scorer(*parameters, totals.nodes, totals.tokens)) : SparseScorer();
  std::vector<double> factors;
  double largest_sum = 0;
  for (const TermWeight& term : query) {
    std::uint64_t frequency = 0;
    for (const auto& [s, row] : rows) frequency += weight_of(samples[s].terms[row], term.term) > 0 ? 1 : 0;
    factors.push_back(scorer.factor(term.weight, frequency));
    float largest = 0;
    for (const SparseSample& sample : samples)
      for (const auto& terms : sample.terms) largest = std::max(largest, weight_of(terms, term.term));
    largest_sum += scorer.limit(factors.back(), largest);
  }
  scorer.set_largest_sum(largest_sum);
  std::vector<ScoredNode> hits;
  for (const auto& [s, row] : rows) {
    const RowKey& key = samples[s].keys[row];
    double score = 0;
    for (std::size_t t = 0; t < query.size(); ++t)
      if (const float weight = weight_of(samples[s].terms[row], query[t].term); weight > 0)
        score += scorer.addend(factors[t], weight, samples[s].lengths[row]);
    if (score > 0 && (filter == nullptr || filter->allows(key.node, key.source))) hits.push_back({key.node, score});
  }
  return best_of(std::move(hits), k);
}

}  // namespace ragstone::segment
