#pragma once

#include "store/segment/dense_part.hpp"
#include "store/segment/field_part.hpp"
#include "store/segment/sparse_part.hpp"
#include "support/store/random_filters.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

/// Rows for segments, and what plain code makes of them.
namespace ragstone::segment {

struct DenseSample {
  std::uint32_t dimension = 0;
  std::vector<RowKey> keys;
  std::vector<float> values;

  std::span<const float> vector(std::size_t row) const { return std::span(values).subspan(row * dimension, dimension); }
  std::string image(Generation generation = 1, const DenseForm& form = {}) const {
    return build_dense(generation, dimension, keys, values, form);
  }
  std::shared_ptr<const DensePart> part(const DenseForm& form = {}) const;
};

/// A graph for any number of rows.
DenseForm graph_form(Metric metric = Metric::cosine, std::size_t m = 8, std::size_t ef_construction = 60);

/// Nibbles for any number of rows.
DenseForm nibble_form();

/// Which numbers a random vector has.
enum class Values { unit, wild };

std::vector<float> random_vector(std::mt19937& random, std::uint32_t dimension, Values values = Values::unit);
/// Ids ascend with gaps from `first`; some contents occur twice.
DenseSample random_dense(std::mt19937& random, std::size_t rows, std::uint32_t dimension, NodeId first = 1,
                         Values values = Values::unit);
/// Rows around some centres, as texts are around subjects.
DenseSample clustered(std::mt19937& random, std::size_t rows, std::uint32_t dimension);

struct SparseSample {
  std::vector<RowKey> keys;
  std::vector<std::vector<TermWeight>> terms;
  std::vector<std::uint32_t> lengths;

  std::string image(Generation generation = 1) const;
  std::shared_ptr<const SparsePart> part() const;
};

/// The n-th word of a language that has common and rare words, Chinese ones among them.
std::string sample_word(std::size_t number);
SparseSample random_sparse(std::mt19937& random, std::size_t rows, std::size_t words, NodeId first = 1);
std::vector<TermWeight> random_query(std::mt19937& random, std::size_t words);

inline const Bm25Parameters kDefaultBm25;

/// Rows that show metadata, all of whose fields are declared.
struct FieldSample {
  std::vector<RowKey> keys;
  std::vector<Metadata> metadata;

  std::string image(Generation generation = 1) const;
  std::shared_ptr<const FieldPart> part() const;
};

FieldSample random_fields(test::RandomFilters& random, std::size_t rows, NodeId first = 1);

/// A random share of the rows.
DeadRows random_dead(std::mt19937& random, std::size_t rows, double share);

class LambdaFilter final : public RowFilter {
 public:
  explicit LambdaFilter(std::function<bool(NodeId, SourceNumber)> allows) : allows_(std::move(allows)) {}
  bool allows(NodeId node, SourceNumber source) const override { return allows_(node, source); }

 private:
  std::function<bool(NodeId, SourceNumber)> allows_;
};

/// What search_dense() is to find, by VectorScorer on every row.
std::vector<ScoredNode> plain_search(std::span<const DenseSample> samples, std::span<const DeadRows> dead,
                                     std::span<const float> query, Metric metric, const RowFilter* filter,
                                     std::size_t k);

/// What search_sparse() is to find, by SparseScorer on every row.
std::vector<ScoredNode> plain_search(std::span<const SparseSample> samples, std::span<const DeadRows> dead,
                                     std::span<const TermWeight> query, const Bm25Parameters* parameters,
                                     const RowFilter* filter, std::size_t k);

SparseTotals live_totals(std::span<const SparseSample> samples, std::span<const DeadRows> dead);

}  // namespace ragstone::segment
