#include "store/segment/container_layout.hpp"
#include "store/segment/sparse_part.hpp"
#include "store/segment/sparse_writer.hpp"
#include <ragstone/base/error.hpp>

#include <map>
#include <numeric>
#include <utility>

namespace ragstone::segment {
namespace {

// The sections of a source of a few rows are small; none has elements that need more.
constexpr std::size_t kAlignment = 8;

/// One numbering for the terms of all rows: that of their vectors where they share one, or one made of several.
class SharedTerms {
 public:
  explicit SharedTerms(std::span<const SparseRow> rows) {
    for (const SparseRow& row : rows) numbers_.try_emplace(row.vectors);
    if (numbers_.size() == 1) terms_ = &numbers_.begin()->first->terms();
    if (numbers_.size() <= 1) return;
    for (auto& [vectors, numbers] : numbers_) {
      numbers.reserve(vectors->terms().size());
      for (std::uint32_t term = 0; term < vectors->terms().size(); ++term)
        numbers.push_back(made_.number_of(vectors->terms()[term]));
    }
  }
  SharedTerms(const SharedTerms&) = delete;
  SharedTerms& operator=(const SharedTerms&) = delete;

  const TermTable& terms() const noexcept { return *terms_; }

  /// Calls `take(term, weight)` for each element of a row.
  template <class Take>
  void for_each(const SparseRow& row, Take take) {
    if (row.vectors != last_) {
      last_ = row.vectors;
      last_numbers_ = terms_ == &made_ ? &numbers_.find(row.vectors)->second : nullptr;
    }
    for (const SparseVectors::Element& element : (*row.vectors)[row.vector])
      take(last_numbers_ ? (*last_numbers_)[element.term] : element.term, element.weight);
  }

 private:
  TermTable made_;
  const TermTable* terms_ = &made_;
  std::map<const SparseVectors*, std::vector<std::uint32_t>> numbers_;  ///< In `made_`, by those of the vectors.
  const SparseVectors* last_ = nullptr;
  const std::vector<std::uint32_t>* last_numbers_ = nullptr;
};

}  // namespace

std::string build_sparse(Generation generation, std::span<const SparseRow> rows) {
  std::uint64_t tokens = 0;
  std::size_t elements = 0;
  for (const SparseRow& row : rows) {
    tokens += row.length;
    elements += (*row.vectors)[row.vector].size();
  }
  if (elements >= UINT32_MAX)
    throw Error(Errc::limit_exceeded, "build a segment: too many terms; add the source in pieces");
  StringSink image(kAlignment);
  SparseWriter writer(image, generation, rows.size(), tokens);
  writer.write_rows({[&](std::size_t n) { return rows[n].key; }, [&](std::size_t n) { return rows[n].length; }});

  // All postings, those of one term together and ascending by row.
  SharedTerms terms(rows);
  std::vector<std::uint32_t> ends(terms.terms().size() + 1);
  for (const SparseRow& row : rows) terms.for_each(row, [&](std::uint32_t term, float) { ++ends[term + 1]; });
  std::partial_sum(ends.begin(), ends.end(), ends.begin());
  std::vector<Posting> postings(elements);
  for (std::uint32_t row = 0; row < rows.size(); ++row)
    terms.for_each(rows[row], [&](std::uint32_t term, float weight) { postings[ends[term]++] = {row, weight}; });

  for (const std::uint32_t term : terms.terms().sorted()) {
    const std::uint32_t begin = term == 0 ? 0 : ends[term - 1];
    if (begin < ends[term])
      writer.add_term(terms.terms()[term], std::span(postings).subspan(begin, ends[term] - begin));
  }
  writer.finish();
  return std::move(image).take();
}

}  // namespace ragstone::segment
