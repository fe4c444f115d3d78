#include <ragstone/base/error.hpp>
#include <ragstone/index/sparse_vectors.hpp>

namespace ragstone {

void SparseVectors::add(std::string_view term, float weight) {
  const std::uint32_t number = terms_.number_of(term);
  const std::size_t begin = elements();
  if (number == last_.size()) {
    last_.push_back(UINT32_MAX);
  } else if (last_[number] >= begin) {
    elements_[last_[number]].weight += weight;
    return;
  }
  if (elements_.size() >= UINT32_MAX - 1)
    throw Error(Errc::limit_exceeded, "make sparse vectors: too many terms; add the source in pieces");
  last_[number] = static_cast<std::uint32_t>(elements_.size());
  elements_.push_back({number, weight});
}

void SparseVectors::append(std::span<const TermWeight> vector) {
  for (const TermWeight& element : vector) add(element.term, element.weight);
  end_vector();
}

}  // namespace ragstone
