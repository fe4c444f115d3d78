#include "kernel/stop_poll.hpp"
#include "store/segment/sparse_part.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace ragstone::segment {
namespace {

/// A row whose vector is asked for.
struct WantedRow {
  std::uint32_t row = 0;
  std::vector<TermWeight>* vector = nullptr;
};

bool row_less(const WantedRow& wanted, std::uint32_t row) noexcept { return wanted.row < row; }

/// Appends what the postings of one term say of the rows. Blocks without any of them are passed over.
void read_postings(const std::string& term, const PostingList& postings, std::span<const WantedRow> rows,
                   kernel::StopPoll& poll) {
  PostingBlock block;
  auto at = rows.begin();
  for (std::size_t b = 0; b < postings.blocks() && at != rows.end(); ++b) {
    poll.spend(5);
    if (postings.has_table() && postings.last_row(b) < at->row) continue;
    poll.spend(300);
    postings.read_rows(b, block);
    const auto end = block.rows.begin() + static_cast<std::ptrdiff_t>(block.size);
    auto found = block.rows.begin();
    while (at != rows.end()) {
      found = std::lower_bound(found, end, at->row);
      if (found == end) break;
      if (*found > at->row) {
        at = std::lower_bound(at, rows.end(), *found, row_less);
        continue;
      }
      postings.read_weights(b, block);
      const float weight = block.weights[static_cast<std::size_t>(found - block.rows.begin())];
      if (!std::isfinite(weight) || weight <= 0) throw_corrupt("a weight is not a positive number");
      at->vector->push_back({term, weight});
      ++at;
    }
  }
}

/// `rows` ascend. Parts keep postings by their terms, so this goes through all of those.
void read_vectors(const SparsePart& part, std::span<const WantedRow> rows, kernel::StopPoll& poll) {
  TermCursor cursor(part.terms());
  std::string term;
  while (cursor.next()) {
    if (cursor.term() <= term) throw_corrupt("terms do not ascend");
    term = cursor.term();
    poll.spend(50);
    read_postings(term, part.postings(cursor.entry()), rows, poll);
  }
}

}  // namespace

std::vector<std::optional<std::vector<TermWeight>>> find_sparse_vectors(std::span<const SparseView> parts,
                                                                        std::span<const Hash128> contents,
                                                                        const StopToken& stop) {
  std::unordered_map<Hash128, std::optional<std::vector<TermWeight>>> vectors;
  for (const Hash128& content : contents) vectors.try_emplace(content);
  kernel::StopPoll poll(stop);
  for (const SparseView& view : parts) {
    std::vector<WantedRow> rows;
    for (std::uint32_t row = 0; row < view.part->rows(); ++row) {
      poll.spend(20);
      const auto wanted = vectors.find(view.part->content(row));
      if (wanted == vectors.end() || wanted->second || view.dead.contains(row)) continue;
      rows.push_back({row, &wanted->second.emplace()});
    }
    if (!rows.empty()) read_vectors(*view.part, rows, poll);
  }
  std::vector<std::optional<std::vector<TermWeight>>> found;
  found.reserve(contents.size());
  for (const Hash128& content : contents) found.push_back(vectors.at(content));
  return found;
}

}  // namespace ragstone::segment
