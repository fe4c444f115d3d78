#pragma once

#include <ragstone/index/metric.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ragstone::bench {

/// Vectors and queries that ask for the nearest of them.
struct VectorSet {
  std::string name;
  Metric metric = Metric::l2;
  std::size_t dimension = 0;
  std::vector<float> base;
  std::vector<float> queries;

  std::size_t rows() const noexcept { return base.size() / dimension; }
  std::size_t asked() const noexcept { return queries.size() / dimension; }
  std::span<const float> row(std::size_t i) const { return std::span(base).subspan(i * dimension, dimension); }
  std::span<const float> query(std::size_t i) const { return std::span(queries).subspan(i * dimension, dimension); }
};

/// MNIST's images by their grey levels (l2), and static embeddings of 30,000 sentences (inner product): from the folder
/// that RAGSTONE_DATA names; none where it is not there.
std::optional<VectorSet> mnist_784(std::size_t queries);
std::optional<VectorSet> text_256(std::size_t queries);

/// Unit vectors in 1,000 clusters of uneven size and low rank, as embeddings of texts by subject are (inner product).
VectorSet clustered_384(std::size_t rows, std::size_t queries);

}  // namespace ragstone::bench
