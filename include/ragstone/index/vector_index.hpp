#pragma once

#include <ragstone/index/metric.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>

namespace ragstone {

/// How the vectors of an embedder's key are kept to be searched, by the names that Milvus gives them.
enum class IndexType {
  automatic,  ///< "AUTOINDEX": a scan below 50,000 rows, HNSW from there on, to 65,536 dimensions; by HAMMING a scan
              ///< over the signs.
  flat,       ///< "FLAT": exact; a byte an element, in large parts half a byte before, tells which vectors not to read.
  hnsw,       ///< "HNSW", "HNSW_SQ": from 5,000 rows, to 65,536 dimensions, a graph over one byte an element; hits are
              ///< scored by the vectors.
  bin_flat,   ///< "BIN_FLAT": a scan over the signs; the nearest 400, or 40 for each hit, are scored by the vectors.
};

/// Of one key. Vectors are kept as they came, so that a change builds anew and embeds nothing.
class VectorIndexOptions {
 public:
  VectorIndexOptions() = default;

  Metric metric_type = Metric::cosine;  ///< What a graph is built for; searches by another one scan.
  IndexType index_type = IndexType::automatic;
  std::size_t m = 16;                 ///< "M": links of a node, 2 to 2,048 (the papers' usual default).
  std::size_t ef_construction = 200;  ///< "efConstruction": at least M.

  // What searches do where they do not say otherwise; a change builds nothing.

  /// The share of the nearest that should be found, for queries that are like the rows; above 0, at most 1. A graph is
  /// only searched where so much was measured, by some of the rows, when it was built. Of no weight for what scans.
  double recall = 0.97;
  std::size_t ef = 0;  ///< "ef": candidates of a graph search instead; 0: by `recall`.
  bool exact = false;  ///< No graph, no signs: the nearest, whatever it costs.

  friend bool operator==(const VectorIndexOptions&, const VectorIndexOptions&) = default;
};

/// "COSINE", "IP", "L2", "HAMMING".
const char* metric_type_name(Metric metric) noexcept;
const char* index_type_name(IndexType type) noexcept;

/// The same the other way; upper or lower case. Errors: Errc::invalid_argument, with the names that there are.
Metric parse_metric_type(std::string_view name);
IndexType parse_index_type(std::string_view name);

/// By embedder's key.
using VectorIndexes = std::map<std::string, VectorIndexOptions>;

/// Errors: Errc::invalid_argument, which says what would do. `key` is for the message.
void check_vector_index(const std::string& key, const VectorIndexOptions& options);

static_assert(!std::is_aggregate_v<VectorIndexOptions>);

}  // namespace ragstone
