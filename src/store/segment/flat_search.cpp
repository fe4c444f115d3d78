#include "store/segment/flat_search.hpp"

#include "kernel/simd.hpp"
#include "store/segment/sign_bits.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

namespace ragstone::segment {
namespace {

// Rows of 384 codes that leave room in a second-level cache of 512 KiB for the queries.
constexpr std::size_t kChunk = 512;
// Where fewer than one row in so many is selected, only those are read.
constexpr std::size_t kSparse = 3;
// Candidates that wait at most before those below the floor are dropped.
constexpr std::size_t kManyCandidates = 8192;
// So few selected rows are scored at once: codes would cost more than they spare.
constexpr std::size_t kFewRows = 128;
constexpr std::size_t kFilterWork = 50;
// Rows found by bits are scored: at least so many, and so many for each hit that is asked for.
constexpr std::size_t kLeastByBits = 400;
constexpr std::size_t kByBitsForHit = 40;

bool is_nearer(double a, double b) noexcept { return a > b; }

}  // namespace

/// Some rows of a part.
struct FlatSearch::Chunk {
  const DensePart& part;
  const RowGate& gate;
  kernel::StopPoll& poll;
  std::uint32_t first = 0;
  std::size_t count = 0;
  const std::uint32_t* chosen = nullptr;  ///< Null: the rows from `first` on.

  std::uint32_t row(std::size_t i) const noexcept {
    return chosen != nullptr ? chosen[i] : first + static_cast<std::uint32_t>(i);
  }

  bool admits(std::uint32_t row) const {
    if (gate.asks_each_row()) poll.spend(kFilterWork);
    return gate.admits(row);
  }
};

FlatSearch::FlatSearch(std::span<const float> queries, std::size_t dimension, Metric metric, std::size_t k,
                       FlatForm form)
    : dimension_(dimension), metric_(metric), k_(k), form_(form) {
  for (std::size_t begin = 0; begin < queries.size(); begin += dimension) {
    const std::span<const float> vector = queries.subspan(begin, dimension);
    queries_.push_back({vector, VectorScorer(vector, metric), std::nullopt, {}, Best(k), {}, {}, {}});
  }
}

void FlatSearch::scan(const DensePart& part, const RowGate& gate, std::uint32_t begin, std::uint32_t end,
                      kernel::StopPoll& poll) {
  const bool few = gate.selected() != nullptr && gate.most() <= kFewRows;
  const auto look_at = [&](const Chunk& chunk) {
    for (Query& query : queries_) {
      if (metric_ == Metric::hamming) {
        scan_signs(query, chunk);
      } else if (form_ == FlatForm::bits && part.has_bits() && !few) {
        scan_bits(query, chunk);
      } else if (form_ == FlatForm::vectors || few || !codes_of(query).is_usable()) {
        scan_vectors(query, chunk);
      } else {
        scan_codes(query, chunk);
      }
    }
  };
  const RowBitmap* selected = gate.selected();
  if (selected == nullptr || gate.most() * kSparse > part.rows()) {
    for (std::uint32_t first = begin; first < end; first += kChunk)
      look_at({part, gate, poll, first, std::min<std::size_t>(kChunk, end - first), nullptr});
    return;
  }
  std::vector<std::uint32_t> chosen;
  chosen.reserve(kChunk);
  const auto flush = [&] {
    if (!chosen.empty()) look_at({part, gate, poll, 0, chosen.size(), chosen.data()});
    chosen.clear();
  };
  selected->for_each(begin, end, [&](std::size_t row) {
    chosen.push_back(static_cast<std::uint32_t>(row));
    if (chosen.size() == kChunk) flush();
  });
  flush();
}

const CodeQuery& FlatSearch::codes_of(Query& query) const {
  if (!query.codes) query.codes.emplace(query.vector, metric_);
  return *query.codes;
}

const std::vector<std::uint64_t>& FlatSearch::bits_of(Query& query) const {
  if (query.bits.empty()) query.bits = sign_bits(query.vector);
  return query.bits;
}

void FlatSearch::raise_floor(Query& query, double worst) const {
  std::vector<double>& floors = query.floors;
  if (floors.size() < k_) {
    floors.push_back(worst);
    std::push_heap(floors.begin(), floors.end(), std::greater<>());
  } else if (worst > floors.front()) {
    std::pop_heap(floors.begin(), floors.end(), std::greater<>());
    floors.back() = worst;
    std::push_heap(floors.begin(), floors.end(), std::greater<>());
  }
}

void FlatSearch::scan_codes(Query& query, const Chunk& chunk) const {
  const DensePart& part = chunk.part;
  chunk.poll.spend(chunk.count * (dimension_ / 24 + 4));
  std::array<float, kChunk> dots;
  const std::int8_t* codes = part.all_codes().data();
  query.codes->dots(chunk.chosen != nullptr ? codes : codes + chunk.first * dimension_, chunk.chosen, chunk.count,
                    dots.data());
  std::array<std::uint32_t, kChunk> kept;
  std::size_t count = chunk.count;
  if (has_floor(query) && chunk.chosen == nullptr) {
    count = kernel::simd().select(query.codes->terms(query.floors.front()), dots.data(),
                                  &part.all_code_scales()[chunk.first].scale, part.all_norms().data() + chunk.first,
                                  chunk.count, kept.data());
  } else {
    for (std::size_t i = 0; i < count; ++i) kept[i] = static_cast<std::uint32_t>(i);
  }
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t row = chunk.row(kept[i]);
    const ScoreBounds bounds = query.codes->bounds(dots[kept[i]], part.code_scale(row), part.norm(row));
    if ((has_floor(query) && bounds.best < query.floors.front()) || !chunk.admits(row)) continue;
    raise_floor(query, bounds.worst);
    query.candidates.push_back({bounds.best, row, &part});
  }
  if (query.candidates.size() > std::max(kManyCandidates, 4 * k_) && has_floor(query))
    std::erase_if(query.candidates, [&](const Candidate& c) { return c.best < query.floors.front(); });
}

/// Whether a row is certainly below `worst`, by its float sum alone; see VectorScorer for when that is its score.
bool FlatSearch::is_worse(double worst, float sum, double norms) const noexcept {
  constexpr double kMargin = 1e-18;
  if (!(std::abs(sum) < std::numeric_limits<float>::max())) return false;
  if (metric_ == Metric::l2) return double{sum} > kMargin - worst;
  if (metric_ == Metric::inner_product) return double{sum} < worst - kMargin;
  const double least = worst * norms;
  return double{sum} < least - 1e-12 * std::abs(least) - kMargin;
}

void FlatSearch::scan_vectors(Query& query, const Chunk& chunk) const {
  const DensePart& part = chunk.part;
  chunk.poll.spend(chunk.count * (dimension_ / 6 + 4));
  if (chunk.chosen != nullptr) {
    for (std::size_t i = 0; i < chunk.count; ++i)
      if (chunk.admits(chunk.chosen[i])) score(query, part, chunk.chosen[i]);
    return;
  }
  std::array<float, kChunk> sums;
  const kernel::Simd& simd = kernel::simd();
  (metric_ == Metric::l2 ? simd.squared_l2s : simd.dots)(query.vector.data(), part.vector(chunk.first).data(),
                                                         dimension_, chunk.count, sums.data());
  for (std::size_t i = 0; i < chunk.count; ++i) {
    const std::uint32_t row = chunk.row(i);
    if (query.best.is_full() && is_worse(query.best.worst().score, sums[i], query.scorer.query_norm() * part.norm(row)))
      continue;
    const ScoredNode hit{part.node(row), query.scorer.score(sums[i], part.vector(row), part.norm(row))};
    if (std::isfinite(hit.score) && query.best.would_keep(hit) && chunk.admits(row)) query.best.add(hit);
  }
}

void FlatSearch::scan_signs(Query& query, const Chunk& chunk) const {
  const DensePart& part = chunk.part;
  chunk.poll.spend(chunk.count * (dimension_ / (part.has_bits() ? 256 : 1) + 4));
  const std::size_t words = bits_of(query).size();
  for (std::size_t i = 0; i < chunk.count; ++i) {
    const std::uint32_t row = chunk.row(i);
    ScoredNode hit{part.node(row), 0};
    if (part.has_bits()) {
      std::uint32_t distance = 0;
      kernel::simd().hamming(query.bits.data(), part.bits(row).data(), words, 1, &distance);
      hit.score = -static_cast<double>(distance);
    } else {
      hit.score = query.scorer.score(part.vector(row), part.norm(row));
    }
    if (query.best.would_keep(hit) && chunk.admits(row)) query.best.add(hit);
  }
}

void FlatSearch::scan_bits(Query& query, const Chunk& chunk) const {
  const DensePart& part = chunk.part;
  chunk.poll.spend(chunk.count * (dimension_ / 256 + 4));
  const auto nearer = [](const Candidate& a, const Candidate& b) { return is_nearer(a.best, b.best); };
  const std::size_t most = std::max(kLeastByBits, k_ > SIZE_MAX / kByBitsForHit ? SIZE_MAX : k_ * kByBitsForHit);
  std::array<std::uint32_t, kChunk> distances;
  const std::size_t words = bits_of(query).size();
  if (chunk.chosen == nullptr) {
    kernel::simd().hamming(query.bits.data(), part.bits(chunk.first).data(), words, chunk.count, distances.data());
  } else {
    for (std::size_t i = 0; i < chunk.count; ++i)
      kernel::simd().hamming(query.bits.data(), part.bits(chunk.chosen[i]).data(), words, 1, &distances[i]);
  }
  std::vector<Candidate>& heap = query.by_bits;
  for (std::size_t i = 0; i < chunk.count; ++i) {
    const Candidate candidate{-static_cast<double>(distances[i]), chunk.row(i), &part};
    if (heap.size() == most && !nearer(candidate, heap.front())) continue;
    if (!chunk.admits(candidate.row)) continue;
    if (heap.size() == most) {
      std::pop_heap(heap.begin(), heap.end(), nearer);
      heap.back() = candidate;
    } else {
      heap.push_back(candidate);
    }
    std::push_heap(heap.begin(), heap.end(), nearer);
  }
}

void FlatSearch::score(Query& query, const DensePart& part, std::uint32_t row) const {
  const ScoredNode hit{part.node(row), query.scorer.score(part.vector(row), part.norm(row))};
  // Only damaged bytes give another.
  if (std::isfinite(hit.score)) query.best.add(hit);
}

void FlatSearch::absorb(FlatSearch other) {
  for (std::size_t q = 0; q < queries_.size(); ++q) {
    Query& to = queries_[q];
    Query& from = other.queries_[q];
    for (const double worst : from.floors) raise_floor(to, worst);
    to.candidates.insert(to.candidates.end(), from.candidates.begin(), from.candidates.end());
    to.by_bits.insert(to.by_bits.end(), from.by_bits.begin(), from.by_bits.end());
    for (const ScoredNode& hit : std::move(from.best).take()) to.best.add(hit);
  }
}

void FlatSearch::score_candidates(Query& query, kernel::StopPoll& poll) const {
  std::vector<Candidate>& candidates = query.candidates;
  if (has_floor(query)) std::erase_if(candidates, [&](const Candidate& c) { return c.best < query.floors.front(); });
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.best > b.best; });
  candidates.insert(candidates.end(), query.by_bits.begin(), query.by_bits.end());
  const std::size_t bounded = candidates.size() - query.by_bits.size();
  constexpr std::size_t kAhead = 3;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Candidate& candidate = candidates[i];
    // No node has the number 0: of those that score the same, it would be the best.
    if (i < bounded && !query.best.would_keep({0, candidate.best})) continue;
    if (i + kAhead < candidates.size()) {
      const std::span<const float> next = candidates[i + kAhead].part->vector(candidates[i + kAhead].row);
      for (std::size_t at = 0; at < next.size(); at += 16) __builtin_prefetch(next.data() + at);
    }
    poll.spend(dimension_ / 4 + 50);
    score(query, *candidate.part, candidate.row);
  }
}

std::vector<std::vector<ScoredNode>> FlatSearch::take(kernel::StopPoll& poll) && {
  std::vector<std::vector<ScoredNode>> hits;
  for (Query& query : queries_) {
    score_candidates(query, poll);
    hits.push_back(std::move(query.best).take());
  }
  return hits;
}

}  // namespace ragstone::segment
