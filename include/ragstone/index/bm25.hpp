#pragma once

namespace ragstone {

/// Parameters of BM25 (Robertson and Zaragoza 2009): a query term t adds
///   idf(t) * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / mean length)),
///   idf(t) = ln(1 + (N - df + 0.5) / (df + 0.5)) ^ idf_power,
/// with N, df and the mean length over all live nodes of the group that have the column, filtered or not.
///
/// The defaults were chosen as benchmarks/quality.cpp tells; Lucene's are 1.2, 0.75 and 1. A power above 1 makes rare
/// words count more, which questions in whole sentences need most.
struct Bm25Parameters {
  double k1 = 1.65;         ///< Term saturation, >= 0.
  double b = 0.88;          ///< Length normalisation, 0 to 1.
  double idf_power = 1.27;  ///< At least 0.
};

}  // namespace ragstone
