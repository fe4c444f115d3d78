#pragma once

namespace ragstone {

/// Parameters of BM25 (Robertson and Zaragoza 2009): a query term t adds
///   idf(t) * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / mean length)),
///   idf(t) = ln(1 + (N - df + 0.5) / (df + 0.5)),
/// with N, df and the mean length over all live nodes of the group that have the column, filtered or not.
struct Bm25Parameters {
  double k1 = 1.2;  ///< Term saturation, >= 0; the default is Lucene's and Elasticsearch's.
  double b = 0.75;  ///< Length normalisation, 0 to 1; likewise.
};

}  // namespace ragstone
