#include "kernel/stop_poll.hpp"
#include "store/segment/merge_plan.hpp"
#include "store/segment/sparse_part.hpp"
#include "store/segment/sparse_writer.hpp"
#include "text/term_key.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <utility>

namespace ragstone::segment {
namespace {

constexpr std::uint32_t kDropped = UINT32_MAX;
constexpr std::size_t kKeyBytes = 7;

/// No wrong byte must get a new checksum.
void refuse_damage(const SparseView& view, const StopToken& stop) {
  for (const Finding& finding : view.part->container().damaged_sections(stop)) {
    if (finding.loss == Finding::Loss::nothing) continue;
    const bool all_dead = std::all_of(finding.rows.begin(), finding.rows.end(),
                                      [&](std::uint32_t row) { return view.dead.contains(row); });
    if (finding.rows.empty() || !all_dead)
      throw Error(Errc::corrupt_store, "merge segments: " + finding.problem + "; verify the store, then recover it");
  }
}

/// The terms of several parts in order, each with its postings in all of them.
class TermMerge {
 public:
  TermMerge(std::span<const SparseView> parts, std::span<const PlannedRow> plan) {
    constexpr std::uint32_t kNone = UINT32_MAX;
    std::vector<std::uint32_t> place(parts.size(), kNone);
    for (std::size_t n = 0; n < plan.size(); ++n) {
      std::uint32_t& at = place[plan[n].part];
      if (at == kNone) {
        at = static_cast<std::uint32_t>(parts_.size());
        parts_.push_back(parts[plan[n].part].part.get());
        new_rows_.emplace_back(parts_.back()->rows(), kDropped);
        cursors_.emplace_back(parts_.back()->terms());
      }
      new_rows_[at][plan[n].row] = static_cast<std::uint32_t>(n);
    }
    for (std::uint32_t part = 0; part < parts_.size(); ++part) advance(part);
  }

  /// The next term that has live postings; false at the end.
  bool next(kernel::StopPoll& poll) {
    do {
      if (heap_.empty()) return false;
      gather(poll);
    } while (postings_.empty());
    return true;
  }
  const std::string& term() const noexcept { return term_; }
  std::span<const Posting> postings() const noexcept { return postings_; }

 private:
  /// A cursor's term, or its beginning: most comparisons need no more.
  struct Head {
    std::uint64_t key = 0;  ///< Seven bytes of the term and its length, of at most eight: ascends with terms.
    std::uint32_t part = 0;
  };

  static std::uint64_t key_of(std::string_view term) noexcept {
    return (detail::term_prefix(term) & ~std::uint64_t{0xff}) | std::min(term.size(), kKeyBytes + 1);
  }

  /// Of two terms with equal keys, whether they are one.
  static bool is_whole(std::uint64_t key) noexcept { return (key & 0xff) <= kKeyBytes; }

  bool is_after(const Head& a, const Head& b) const noexcept {
    if (a.key != b.key) return a.key > b.key;
    const int order = is_whole(a.key) ? 0 : cursors_[a.part].term().compare(cursors_[b.part].term());
    return order != 0 ? order > 0 : a.part > b.part;
  }

  void advance(std::uint32_t part) {
    if (!cursors_[part].next()) return;
    heap_.push_back({key_of(cursors_[part].term()), part});
    std::push_heap(heap_.begin(), heap_.end(), [this](const Head& a, const Head& b) { return is_after(a, b); });
  }

  void gather(kernel::StopPoll& poll) {
    const std::string_view first = cursors_[heap_.front().part].term();
    if (begun_ && first <= term_) throw_corrupt("terms do not ascend");
    begun_ = true;
    term_ = first;
    const std::uint64_t key = heap_.front().key;
    postings_.clear();
    while (!heap_.empty() && heap_.front().key == key &&
           (is_whole(key) || cursors_[heap_.front().part].term() == term_)) {
      const std::uint32_t part = heap_.front().part;
      std::pop_heap(heap_.begin(), heap_.end(), [this](const Head& a, const Head& b) { return is_after(a, b); });
      heap_.pop_back();
      const TermEntry entry = cursors_[part].entry();
      PostingCursor postings(parts_[part]->postings(entry));
      while (postings.next()) {
        const std::uint32_t row = new_rows_[part][postings.posting().row];
        if (row != kDropped) postings_.push_back({row, postings.posting().weight});
      }
      poll.spend(10 * entry.count + 200);
      advance(part);
    }
    const auto by_row = [](const Posting& a, const Posting& b) { return a.row < b.row; };
    if (!std::is_sorted(postings_.begin(), postings_.end(), by_row))
      std::sort(postings_.begin(), postings_.end(), by_row);
  }

  std::vector<const SparsePart*> parts_;  ///< Those with live rows, by the first of these.
  std::vector<std::vector<std::uint32_t>> new_rows_;
  std::vector<TermCursor> cursors_;
  std::vector<Head> heap_;  ///< Of parts whose cursor has a term; the lowest term in front.
  bool begun_ = false;
  std::string term_;
  std::vector<Posting> postings_;
};

}  // namespace

void merge_sparse(Generation generation, std::span<const SparseView> parts, ImageSink& to, const StopToken& stop) {
  kernel::StopPoll poll(stop);
  for (const SparseView& view : parts) refuse_damage(view, stop);
  const std::vector<PlannedRow> plan = plan_merge(parts);
  const auto part_of = [&](std::size_t n) -> const SparsePart& { return *parts[plan[n].part].part; };
  std::uint64_t tokens = 0;
  for (std::size_t n = 0; n < plan.size(); ++n) tokens += part_of(n).length(plan[n].row);
  SparseWriter writer(to, generation, plan.size(), tokens);
  writer.write_rows({[&](std::size_t n) {
                       const std::uint32_t row = plan[n].row;
                       poll.spend(20);
                       return RowKey{plan[n].node, part_of(n).source(row), part_of(n).content(row)};
                     },
                     [&](std::size_t n) { return part_of(n).length(plan[n].row); }});
  TermMerge terms(parts, plan);
  while (terms.next(poll)) writer.add_term(terms.term(), terms.postings());
  writer.finish();
}

}  // namespace ragstone::segment
