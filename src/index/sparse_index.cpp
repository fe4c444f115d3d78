#include "index/sparse_index.hpp"

#include <algorithm>
#include <functional>
#include <queue>
#include <utility>

namespace ragstone {

SparseIndex SparseIndex::build(std::span<const Row> rows) {
  struct Occurrence {
    std::string_view term;
    Posting posting;
  };
  SparseIndex index;
  std::vector<Occurrence> occurrences;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    index.lengths_.push_back(rows[row].length);
    for (const TermWeight& term : rows[row].terms)
      occurrences.push_back({term.term, {static_cast<std::uint32_t>(row), term.weight}});
  }
  std::stable_sort(occurrences.begin(), occurrences.end(),
                   [](const Occurrence& a, const Occurrence& b) { return a.term < b.term; });

  index.postings_.reserve(occurrences.size());
  std::vector<Posting> postings;
  for (std::size_t begin = 0; begin < occurrences.size();) {
    const std::string_view term = occurrences[begin].term;
    postings.clear();
    for (; begin < occurrences.size() && occurrences[begin].term == term; ++begin)
      postings.push_back(occurrences[begin].posting);
    index.append(term, postings);
  }
  return index;
}

SparseIndex SparseIndex::merge(std::span<const Input> inputs, std::size_t rows) {
  SparseIndex merged;
  merged.lengths_.resize(rows);
  for (const Input& input : inputs)
    for (std::size_t row = 0; row < input.new_rows.size(); ++row)
      if (input.new_rows[row] != kDropped) merged.lengths_[input.new_rows[row]] = input.index->lengths_[row];

  struct Cursor {
    std::string_view term;
    std::size_t input = 0;
    std::size_t number = 0;

    bool operator>(const Cursor& other) const { return term > other.term; }
  };
  std::priority_queue<Cursor, std::vector<Cursor>, std::greater<>> cursors;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i].index->terms() > 0) cursors.push({inputs[i].index->term(0), i, 0});

  std::vector<Posting> postings;
  while (!cursors.empty()) {
    const std::string_view term = cursors.top().term;
    postings.clear();
    while (!cursors.empty() && cursors.top().term == term) {
      Cursor cursor = cursors.top();
      cursors.pop();
      const Input& input = inputs[cursor.input];
      for (const Posting& posting : input.index->postings(cursor.number))
        if (input.new_rows[posting.row] != kDropped) postings.push_back({input.new_rows[posting.row], posting.weight});
      if (++cursor.number == input.index->terms()) continue;
      cursor.term = input.index->term(cursor.number);
      cursors.push(cursor);
    }
    if (postings.empty()) continue;
    std::sort(postings.begin(), postings.end(), [](const Posting& a, const Posting& b) { return a.row < b.row; });
    merged.append(term, postings);
  }
  merged.text_.shrink_to_fit();
  merged.ends_.shrink_to_fit();
  merged.postings_.shrink_to_fit();
  return merged;
}

std::string_view SparseIndex::term(std::size_t number) const noexcept {
  const std::size_t begin = begin_of(number).text;
  return {text_.data() + begin, ends_[number].text - begin};
}

std::span<const Posting> SparseIndex::postings(std::size_t number) const noexcept {
  const std::size_t begin = begin_of(number).posting;
  return {postings_.data() + begin, ends_[number].posting - begin};
}

std::span<const Posting> SparseIndex::find(std::string_view term_text) const noexcept {
  std::size_t low = 0;
  std::size_t high = terms();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (term(middle) < term_text) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == terms() || term(low) != term_text) return {};
  return postings(low);
}

void SparseIndex::append(std::string_view term, std::span<const Posting> postings) {
  text_.append(term);
  postings_.insert(postings_.end(), postings.begin(), postings.end());
  ends_.push_back({text_.size(), postings_.size()});
}

}  // namespace ragstone
