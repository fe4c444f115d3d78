#include "store/column_choice.hpp"

#include <ragstone/base/error.hpp>

namespace ragstone {

bool ColumnChoice::takes(const std::string& signature, std::uint32_t dimension, std::uint64_t sources) {
  if (sources == 0) return false;
  if (!search_.signature.empty() && signature != search_.signature) {
    left_out_ += sources;
    other_ = signature;
    return false;
  }
  if (dimension != search_.dimension)
    throw Error(Errc::dimension_mismatch, "vector search: the query has dimension " +
                                              std::to_string(search_.dimension) + ", the column \"" + search_.key +
                                              "\" has " + std::to_string(dimension));
  any_ = true;
  return true;
}

void ColumnChoice::check() const {
  if (any_ || left_out_ == 0) return;
  throw Error(Errc::embedder_mismatch, "vector search: the vectors of the column \"" + search_.key + "\" are of \"" +
                                           other_ + "\", the query's of \"" + search_.signature +
                                           "\"; ask with that embedder, or open the store for writing to embed anew");
}

void ColumnChoice::tell(std::string& plan) const {
  if (left_out_ == 0) return;
  if (!plan.empty()) plan += ", ";
  plan += "without " + std::to_string(left_out_) + (left_out_ == 1 ? " source" : " sources") +
          " whose vectors are of another embedder";
}

}  // namespace ragstone
