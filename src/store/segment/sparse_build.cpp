#include "store/segment/container_layout.hpp"
#include "store/segment/sparse_part.hpp"
#include "store/segment/sparse_writer.hpp"
#include "text/term_key.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <utility>

namespace ragstone::segment {
namespace {

// The sections of a source of a few rows are small; none has elements that need more.
constexpr std::size_t kAlignment = 8;

/// A term and its beginning, which most comparisons need alone.
struct KeyedTerm {
  std::uint64_t prefix = 0;
  std::string_view text;
};

/// Numbers terms in the order in which they first come.
class TermTable {
 public:
  explicit TermTable(std::size_t occurrences) : slots_(std::bit_ceil(occurrences / 2 + 16), kFree) {}

  std::uint32_t number_of(std::string_view term) {
    const std::uint64_t prefix = detail::term_prefix(term);
    std::size_t slot = detail::term_hash(term, prefix) & (slots_.size() - 1);
    for (; slots_[slot] != kFree; slot = (slot + 1) & (slots_.size() - 1)) {
      const KeyedTerm& known = terms_[slots_[slot]];
      if (known.prefix == prefix && known.text.size() == term.size() && (term.size() <= 8 || known.text == term))
        return slots_[slot];
    }
    const auto number = static_cast<std::uint32_t>(terms_.size());
    slots_[slot] = number;
    terms_.push_back({prefix, term});
    if (terms_.size() * 2 > slots_.size()) grow();
    return number;
  }
  std::vector<KeyedTerm> take() && { return std::move(terms_); }

 private:
  static constexpr std::uint32_t kFree = UINT32_MAX;

  void grow() {
    slots_.assign(slots_.size() * 2, kFree);
    for (std::uint32_t number = 0; number < terms_.size(); ++number) {
      std::size_t slot = detail::term_hash(terms_[number].text, terms_[number].prefix) & (slots_.size() - 1);
      while (slots_[slot] != kFree) slot = (slot + 1) & (slots_.size() - 1);
      slots_[slot] = number;
    }
  }

  std::vector<std::uint32_t> slots_;
  std::vector<KeyedTerm> terms_;
};

/// All postings, those of one term together and ascending by row.
struct Inverted {
  std::vector<KeyedTerm> terms;
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
  result.terms = std::move(table).take();
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

// So few rows are merged faster than their terms are looked up.
constexpr std::size_t kMergedRows = 4;

void add_merged(std::span<const SparseRow> rows, SparseWriter& to) {
  std::array<std::size_t, kMergedRows> next{};
  for (;;) {
    const std::string* least = nullptr;
    for (std::size_t row = 0; row < rows.size(); ++row)
      if (next[row] < rows[row].terms.size())
        if (const std::string& term = rows[row].terms[next[row]].term; least == nullptr || term < *least) least = &term;
    if (least == nullptr) return;
    std::array<Posting, kMergedRows> postings;
    std::size_t count = 0;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const std::span<const TermWeight> terms = rows[row].terms;
      if (next[row] < terms.size() && terms[next[row]].term == *least)
        postings[count++] = {static_cast<std::uint32_t>(row), terms[next[row]++].weight};
    }
    to.add_term(*least, std::span(postings).first(count));
  }
}

void add_inverted(std::span<const SparseRow> rows, SparseWriter& to) {
  const Inverted inverted = invert(rows);
  struct Place {
    std::uint64_t prefix = 0;
    std::uint32_t term = 0;
  };
  std::vector<Place> order;
  order.reserve(inverted.terms.size());
  for (std::uint32_t term = 0; term < inverted.terms.size(); ++term)
    order.push_back({inverted.terms[term].prefix, term});
  std::sort(order.begin(), order.end(), [&](const Place& a, const Place& b) {
    return a.prefix != b.prefix ? a.prefix < b.prefix : inverted.terms[a.term].text < inverted.terms[b.term].text;
  });
  for (const Place& place : order) {
    const std::size_t begin = place.term == 0 ? 0 : inverted.ends[place.term - 1];
    to.add_term(inverted.terms[place.term].text,
                std::span(inverted.postings).subspan(begin, inverted.ends[place.term] - begin));
  }
}

}  // namespace

std::string build_sparse(Generation generation, std::span<const SparseRow> rows) {
  std::uint64_t tokens = 0;
  for (const SparseRow& row : rows) tokens += row.length;
  StringSink image(kAlignment);
  SparseWriter writer(image, generation, rows.size(), tokens);
  writer.write_rows({[&](std::size_t n) { return rows[n].key; }, [&](std::size_t n) { return rows[n].length; }});
  if (rows.size() <= kMergedRows) {
    add_merged(rows, writer);
  } else {
    add_inverted(rows, writer);
  }
  writer.finish();
  return std::move(image).take();
}

}  // namespace ragstone::segment
