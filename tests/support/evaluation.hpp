#pragma once

#include "support/beir.hpp"
#include <ragstone/async/runtime.hpp>
#include <ragstone/model/embedder.hpp>
#include <ragstone/rag/document.hpp>
#include <ragstone/rag/evaluation.hpp>
#include <ragstone/rag/retriever.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace ragstone::test {

/// Means over all queries of a collection.
struct Quality {
  double ndcg_at_10 = 0;
  double recall_at_100 = 0;
  std::chrono::duration<double, std::milli> query_time{0};  ///< Of one query at a time, as a caller sees it.
  ragstone::Evaluation details;                             ///< Query by query.
};

/// A collection in a Document, one source and one node of the root group for each text.
class Evaluation {
 public:
  /// Adds the texts and builds everything that measure() may ask for. `embedder` may be null.
  Evaluation(Runtime& runtime, BeirCollection collection, std::shared_ptr<Embedder> embedder);

  /// The first 100 hits of every query. Of `options` the group and top_k are set here.
  Quality measure(RetrieverOptions options) const;

  std::chrono::duration<double> build_time() const noexcept { return build_time_; }

 private:
  Runtime& runtime_;
  BeirCollection collection_;
  Document document_;
  std::chrono::duration<double> build_time_{0};
};

}  // namespace ragstone::test
