#include "store/segment/sparse_part.hpp"

#include "kernel/stop_poll.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

namespace ragstone::segment {
namespace {

bool is_bounded(const Posting& posting, std::uint32_t length, const BlockImpact& impact) {
  const std::uint32_t counted = std::min<std::uint32_t>(length, UINT16_MAX);
  return (posting.weight <= impact.low_weight && counted >= impact.low_length) ||
         (posting.weight <= impact.high_weight && counted >= impact.high_length);
}

constexpr SectionId kLookedUp[] = {SectionId::nodes, SectionId::sources, SectionId::contents, SectionId::term_blocks,
                                   SectionId::terms};
// In the order in which they are worth having in memory.
constexpr SectionId kReadBySearches[] = {SectionId::term_blocks, SectionId::terms, SectionId::lengths,
                                         SectionId::posting_lists, SectionId::nodes};
constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
// A smaller dictionary is read sooner than the pages that a look-up goes through one after the other.
constexpr std::size_t kWholeDictionary = std::size_t{1} << 20;
constexpr std::size_t kLengthsOfPage = 1024;

/// Why a list is wrong; empty: it is not.
std::string find_fault(const SparsePart& part, const PostingList& postings) {
  PostingBlock block;
  for (std::size_t b = 0; b < postings.blocks(); ++b) {
    postings.read_rows(b, block);
    postings.read_weights(b, block);
    for (std::size_t i = 0; i < block.size; ++i) {
      const Posting posting{block.rows[i], block.weights[i]};
      if (!std::isfinite(posting.weight) || posting.weight <= 0) return "a weight is not a positive number";
      if (!postings.has_table()) continue;
      const std::uint32_t length = part.length(posting.row);
      if (!is_bounded(posting, length, postings.impact()) || !is_bounded(posting, length, postings.entry(b).impact))
        return "a posting is above the bounds of its block";
    }
  }
  return postings.ends_with(block) ? std::string() : "a term has more postings than its number";
}

/// Why the dictionary and the postings are wrong; empty: they are not.
std::string find_fault(const SparsePart& part, std::size_t postings_bytes, kernel::StopPoll& poll) {
  TermCursor cursor(part.terms());
  std::string last;
  std::uint64_t offset = 0;
  for (bool first = true; cursor.next(); first = false) {
    if (!first && cursor.term() <= last) return "terms do not ascend";
    last = cursor.term();
    if (cursor.entry().offset != offset || cursor.entry().count == 0) return "postings do not follow one another";
    offset += cursor.entry().bytes;
    const PostingList postings = part.postings(cursor.entry());
    if (std::string fault = find_fault(part, postings); !fault.empty()) return fault;
    poll.spend(10 * postings.count() + 100);
  }
  return offset == postings_bytes ? std::string() : "postings belong to no term";
}

}  // namespace

SparsePart::SparsePart(std::shared_ptr<const Image> image) : container_(std::move(image), Kind::sparse) {
  const std::size_t rows = container_.rows();
  nodes_ = container_.array<NodeId>(SectionId::nodes, rows);
  sources_ = container_.array<SourceNumber>(SectionId::sources, rows);
  contents_ = container_.array<Hash128>(SectionId::contents, rows);
  lengths_ = container_.array<std::uint32_t>(SectionId::lengths, rows);
  const auto terms = container_.array<char>(SectionId::terms);
  terms_ = TermDictionary(container_.array<std::uint64_t>(SectionId::term_blocks), {terms.data(), terms.size()});
  const auto postings = container_.array<char>(SectionId::posting_lists);
  postings_ = {postings.data(), postings.size()};
  for (const SectionId section : kLookedUp) container_.expect_random_reads(section);
}

void SparsePart::begin_search() const {
  if (asked_->began.load(std::memory_order_relaxed) || asked_->began.exchange(true)) return;
  // The system may read megabytes around each page, of which few answers need more than that page.
  container_.image().expect_random_reads(0, container_.size());
  for (const SectionId section : {SectionId::term_blocks, SectionId::terms})
    if (const std::size_t bytes = container_.bytes(section).size(); bytes < kWholeDictionary)
      container_.expect_reading(section, 0, bytes);
}

void SparsePart::read_soon(const TermEntry& entry) const {
  if (asked_->ahead.has_asked_for_all()) return;
  container_.expect_reading(SectionId::posting_lists, static_cast<std::size_t>(entry.offset),
                            static_cast<std::size_t>(entry.bytes));
  if (entry.count <= rows() / kLengthsOfPage) return;
  // The rows of a long list are on most pages.
  container_.expect_reading(SectionId::lengths, 0, lengths_.size_bytes());
  container_.expect_reading(SectionId::nodes, 0, nodes_.size_bytes());
}

void SparsePart::end_search() const {
  if (!asked_->ahead.ask_for_more(container_, kReadBySearches, kPieceBytes)) return;
  container_.image().expect_scans(0, container_.size());
  for (const SectionId section : kLookedUp) container_.expect_random_reads(section);
}

std::optional<std::uint32_t> SparsePart::find(NodeId node) const noexcept {
  const auto found = std::lower_bound(nodes_.begin(), nodes_.end(), node);
  if (found == nodes_.end() || *found != node) return std::nullopt;
  return static_cast<std::uint32_t>(found - nodes_.begin());
}

std::optional<TermEntry> SparsePart::find(std::string_view term) const {
  std::optional<TermEntry> entry = terms_.find(term);
  if (entry && entry->count > rows()) throw_corrupt("damaged dictionary");
  return entry;
}

PostingList SparsePart::postings(const TermEntry& entry) const {
  if (entry.offset > postings_.size() || entry.bytes > postings_.size() - entry.offset)
    throw_corrupt("damaged dictionary");
  return {postings_.substr(static_cast<std::size_t>(entry.offset), static_cast<std::size_t>(entry.bytes)), entry.count,
          rows()};
}

std::vector<Finding> SparsePart::verify(const StopToken& stop) const {
  std::vector<Finding> findings = container_.damaged_sections(stop);
  const auto add = [&](SectionId section, const std::string& problem) {
    findings.push_back({section, std::string(name_of(section)) + ": " + problem, Finding::Loss::part, {}});
  };
  if (std::adjacent_find(nodes_.begin(), nodes_.end(), std::greater_equal<>()) != nodes_.end() ||
      (!nodes_.empty() && nodes_.front() == 0))
    add(SectionId::nodes, "ids do not ascend");
  if (std::accumulate(lengths_.begin(), lengths_.end(), std::uint64_t{0}) != tokens())
    add(SectionId::lengths, "their sum is not the header's");
  kernel::StopPoll poll(stop);
  try {
    const std::string fault = find_fault(*this, postings_.size(), poll);
    if (!fault.empty()) add(SectionId::posting_lists, fault);
  } catch (const Error& error) {
    add(SectionId::posting_lists, error.what());
  }
  return findings;
}

}  // namespace ragstone::segment
