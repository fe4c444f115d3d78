#include "store/segment/container_layout.hpp"
#include "store/segment/sparse_part.hpp"
#include "store/segment/sparse_writer.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

namespace ragstone::segment {
namespace {

// The sections of a source of a few rows are small; none has elements that need more.
constexpr std::size_t kAlignment = 8;

/// Numbers terms in the order in which they first come.
class TermTable {
 public:
  explicit TermTable(std::size_t occurrences) : slots_(std::bit_ceil(2 * occurrences + 1), kFree) {}

  std::uint32_t number_of(std::string_view term) {
    std::size_t slot = static_cast<std::size_t>(checksum_of(term)) & (slots_.size() - 1);
    while (slots_[slot] != kFree && terms_[slots_[slot]] != term) slot = (slot + 1) & (slots_.size() - 1);
    if (slots_[slot] == kFree) {
      slots_[slot] = static_cast<std::uint32_t>(terms_.size());
      terms_.push_back(term);
    }
    return slots_[slot];
  }
  const std::vector<std::string_view>& terms() const noexcept { return terms_; }

 private:
  static constexpr std::uint32_t kFree = UINT32_MAX;

  std::vector<std::uint32_t> slots_;
  std::vector<std::string_view> terms_;
};

/// All postings, those of one term together and ascending by row.
struct Inverted {
  std::vector<std::string_view> terms;
  std::vector<std::size_t> ends;  ///< Of each term's postings.
  std::vector<Posting> postings;
};

Inverted invert(std::span<const SparseRow> rows) {
  std::size_t occurrences = 0;
  for (const SparseRow& row : rows) occurrences += row.terms.size();
  if (occurrences >= UINT32_MAX)
    throw Error(Errc::limit_exceeded, "build a segment: too many terms; add the source in pieces");
  TermTable table(occurrences);
  std::vector<std::uint32_t> numbers;
  numbers.reserve(occurrences);
  for (const SparseRow& row : rows)
    for (const TermWeight& term : row.terms) numbers.push_back(table.number_of(term.term));

  Inverted result;
  result.terms = table.terms();
  std::vector<std::size_t> next(result.terms.size() + 1);
  for (const std::uint32_t number : numbers) ++next[number + 1];
  std::partial_sum(next.begin(), next.end(), next.begin());
  result.postings.resize(occurrences);
  std::size_t at = 0;
  for (std::uint32_t row = 0; row < rows.size(); ++row)
    for (const TermWeight& term : rows[row].terms) result.postings[next[numbers[at++]]++] = {row, term.weight};
  next.pop_back();
  result.ends = std::move(next);
  return result;
}

}  // namespace

std::string build_sparse(Generation generation, std::span<const SparseRow> rows) {
  const Inverted inverted = invert(rows);
  std::uint64_t tokens = 0;
  for (const SparseRow& row : rows) tokens += row.length;
  StringSink image(kAlignment);
  SparseWriter writer(image, generation, rows.size(), tokens);
  writer.write_rows({[&](std::size_t n) { return rows[n].key; }, [&](std::size_t n) { return rows[n].length; }});
  std::vector<std::uint32_t> order(inverted.terms.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return inverted.terms[a] < inverted.terms[b]; });
  for (const std::uint32_t term : order) {
    const std::size_t begin = term == 0 ? 0 : inverted.ends[term - 1];
    writer.add_term(inverted.terms[term], std::span(inverted.postings).subspan(begin, inverted.ends[term] - begin));
  }
  writer.finish();
  return std::move(image).take();
}

}  // namespace ragstone::segment
