#include "store/column_choice.hpp"

#include <ragstone/base/error.hpp>

namespace ragstone {

const ColumnChoice::Words ColumnChoice::kVectorWords = {"vector search", "vectors", "embedder"};
const ColumnChoice::Words ColumnChoice::kTermWords = {"term search", "terms", "analyzer or embedder"};

ColumnChoice::ColumnChoice(const VectorSearch& search)
    : words_(kVectorWords), key_(search.key), signature_(search.signature), dimension_(search.dimension) {}

ColumnChoice::ColumnChoice(const TermSearch& search)
    : words_(kTermWords), key_(search.key), signature_(search.signature), dimension_(0) {}

bool ColumnChoice::takes(const std::string& signature, std::uint32_t dimension, std::uint64_t sources) {
  if (sources == 0) return false;
  if (!signature_.empty() && signature != signature_) {
    left_out_ += sources;
    other_ = signature;
    return false;
  }
  if (dimension != dimension_)
    throw Error(Errc::dimension_mismatch, std::string(words_.search) + ": the query has dimension " +
                                              std::to_string(dimension_) + ", the column \"" + key_ + "\" has " +
                                              std::to_string(dimension));
  any_ = true;
  return true;
}

void ColumnChoice::check() const {
  if (any_ || left_out_ == 0) return;
  throw Error(Errc::embedder_mismatch, std::string(words_.search) + ": the " + words_.rows + " of the column \"" +
                                           key_ + "\" are of \"" + other_ + "\", the query's of \"" + signature_ +
                                           "\"; ask with that " + words_.maker +
                                           ", or open the store for writing to make them anew");
}

void ColumnChoice::tell(std::string& plan) const {
  if (left_out_ == 0) return;
  if (!plan.empty()) plan += ", ";
  plan += "without " + std::to_string(left_out_) + (left_out_ == 1 ? " source" : " sources") + " whose " + words_.rows +
          " are of another " + words_.maker;
}

}  // namespace ragstone
