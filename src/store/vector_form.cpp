#include "store/vector_form.hpp"

namespace ragstone {

segment::DenseForm form_of(const VectorIndexes& indexes, const std::string& key, std::uint32_t dimension,
                           std::size_t rows_if_asked) {
  const auto named = indexes.find(key);
  const VectorIndexOptions options = named == indexes.end() ? VectorIndexOptions() : named->second;
  const bool hamming = options.metric_type == Metric::hamming;
  segment::DenseForm form;
  form.bits = options.index_type == IndexType::bin_flat || (options.index_type == IndexType::automatic && hamming);
  // Codes of more dimensions are not compared.
  if (dimension > segment::kMostDimensions) return form;
  form.nibbles = options.index_type == IndexType::flat && !hamming;
  if (options.index_type == IndexType::hnsw || (options.index_type == IndexType::automatic && !hamming))
    form.graph = graph::BuildOptions{options.metric_type, options.m, options.ef_construction};
  if (options.index_type == IndexType::hnsw) form.graph_rows = rows_if_asked;
  return form;
}

}  // namespace ragstone
