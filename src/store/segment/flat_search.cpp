#include "store/segment/flat_search.hpp"

#include "kernel/simd.hpp"
#include "store/segment/sign_bits.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>

namespace ragstone::segment {
namespace {

// Rows of 384 codes that leave room in a second-level cache of 512 KiB for the queries.
constexpr std::size_t kChunk = 512;
// Before the first rows are known, nothing can be left out: few at a time.
constexpr std::size_t kFirstChunk = 64;
// Of vectors that several queries are compared with one after the other.
constexpr std::size_t kVectorBytes = 192 << 10;
// Queries whose products with a chunk are made together.
constexpr std::size_t kTogether = 8;
// What a look may leave and still pay (benchmarks/vector): nibbles, one row in so many to codes,
constexpr std::size_t kSparedByNibbles = 12;
// and codes, such a share to vectors; less where several queries read these together.
constexpr double kMostLeftByCodes = 0.4;
constexpr double kMostLeftByCodesOfAll = 0.8;
constexpr std::size_t kLongestRest = 64;
// Where fewer than one row in so many is selected, only those are read.
constexpr std::size_t kSparse = 3;
// Candidates that wait at most before those below the floor are dropped.
constexpr std::size_t kManyCandidates = 8192;
// So few selected rows are scored at once: codes would cost more than they spare.
constexpr std::size_t kFewRows = 256;
constexpr std::size_t kFilterWork = 50;
// Rows found by bits are scored: at least so many, and so many for each hit that is asked for.
constexpr std::size_t kLeastByBits = 400;
constexpr std::size_t kByBitsForHit = 40;

}  // namespace

/// Some rows of a part.
struct FlatSearch::Chunk {
  const DensePart& part;
  const RowGate& gate;
  kernel::StopPoll& poll;
  std::uint32_t first = 0;
  std::size_t count = 0;
  const std::uint32_t* chosen = nullptr;  ///< Null: the rows from `first` on.
  const CodeScale* scales = nullptr;      ///< Of these rows, like
  const double* norms = nullptr;          ///< these.

  std::uint32_t row(std::size_t i) const noexcept {
    return chosen != nullptr ? chosen[i] : first + static_cast<std::uint32_t>(i);
  }

  bool admits(std::uint32_t row) const {
    if (gate.asks_each_row()) poll.spend(kFilterWork);
    return gate.admits(row);
  }
};

/// Tells of rows by their float sums alone that they are certainly below a score; see VectorScorer for when the sums
/// are the scores.
class FlatSearch::SumFloor {
 public:
  SumFloor() = default;  ///< Above nothing.
  SumFloor(Metric metric, double score, double query_norm) {
    constexpr double kMargin = 1e-18;
    if (metric == Metric::l2) sign_ = -1;
    if (metric == Metric::cosine) {
      const double least = score * query_norm;
      of_norm_ = least - 1e-12 * std::abs(least);
      constant_ = -kMargin;
    } else {
      constant_ = score - kMargin;
    }
  }

  bool is_above(float sum, double row_norm) const noexcept {
    // Not short-circuited: for many rows in a row, this is faster.
    return (std::abs(sum) < std::numeric_limits<float>::max()) &
           (sign_ * double{sum} < constant_ + of_norm_ * row_norm);
  }

 private:
  double sign_ = 1;
  double constant_ = -std::numeric_limits<double>::infinity();
  double of_norm_ = 0;
};

FlatSearch::FlatSearch(std::span<const float> queries, std::size_t dimension, Metric metric, std::size_t k,
                       FlatForm form)
    : dimension_(dimension), metric_(metric), k_(k), form_(form) {
  for (std::size_t begin = 0; begin < queries.size(); begin += dimension) {
    const std::span<const float> vector = queries.subspan(begin, dimension);
    queries_.push_back({vector, VectorScorer(vector, metric), std::nullopt, {}, Best(k), {}, 0, {}, {}, 0, {}, {}, {}});
  }
}

void FlatSearch::scan(const DensePart& part, const RowGate& gate, std::uint32_t begin, std::uint32_t end,
                      kernel::StopPoll& poll) {
  const bool few = gate.selected() != nullptr && gate.most() <= kFewRows;
  std::size_t step = std::min(kChunk, std::max(kFirstChunk, k_));
  const auto grow = [&] { step = std::min(kChunk, 2 * step); };
  const SelectedRows* selected = gate.selected();
  if (selected == nullptr || gate.most() * kSparse > part.rows()) {
    for (std::uint32_t first = begin; first < end; grow()) {
      const std::size_t count = std::min<std::size_t>(step, end - first);
      look_at({part, gate, poll, first, count, nullptr, part.all_code_scales().data() + first,
               part.all_norms().data() + first},
              few);
      first += static_cast<std::uint32_t>(count);
    }
    return;
  }
  std::array<std::uint32_t, kChunk> chosen;
  std::array<CodeScale, kChunk> scales;
  std::array<double, kChunk> norms;
  std::size_t count = 0;
  const auto flush = [&] {
    if (count > 0) look_at({part, gate, poll, 0, count, chosen.data(), scales.data(), norms.data()}, few);
    count = 0;
    grow();
  };
  selected->for_each(begin, end, [&](std::size_t row) {
    chosen[count] = static_cast<std::uint32_t>(row);
    if (!few) scales[count] = part.code_scale(chosen[count]);
    norms[count] = part.norm(chosen[count]);
    if (++count == step) flush();
  });
  flush();
}

void FlatSearch::look_at(const Chunk& chunk, bool few) {
  struct Waiting {
    std::array<Query*, kTogether> queries;
    std::size_t count = 0;
  };
  Waiting by_codes, by_vectors;
  const auto look = [&](Waiting& waiting, auto function, std::size_t least) {
    if (waiting.count < least) return;
    (this->*function)({waiting.queries.data(), waiting.count}, chunk);
    waiting.count = 0;
  };
  for (Query& query : queries_) {
    query.seen += chunk.count;
    if (metric_ == Metric::hamming) {
      scan_signs(query, chunk);
    } else if (metric_ != Metric::l2 && query.scorer.query_norm() == 0) {
      take_first(query, chunk);
    } else if (form_ == FlatForm::bits && chunk.part.has_bits() && !few) {
      scan_bits(query, chunk);
    } else if (form_ == FlatForm::vectors || few || !codes_of(query).is_usable() || !query.of_codes.is_due()) {
      by_vectors.queries[by_vectors.count++] = &query;
      look(by_vectors, &FlatSearch::scan_vectors, kTogether);
    } else if (!may_tell_by_nibbles(query, chunk) || !scan_nibbles(query, chunk)) {
      by_codes.queries[by_codes.count++] = &query;
      look(by_codes, &FlatSearch::scan_codes, kTogether);
    }
  }
  look(by_vectors, &FlatSearch::scan_vectors, 1);
  look(by_codes, &FlatSearch::scan_codes, 1);
}

void FlatSearch::score(std::size_t query, const DensePart& part, const RowGate& gate,
                       std::span<const std::uint32_t> rows, kernel::StopPoll& poll) {
  std::array<double, kChunk> norms;
  for (std::size_t begin = 0; begin < rows.size(); begin += kChunk) {
    const std::span<const std::uint32_t> chosen = rows.subspan(begin, std::min(kChunk, rows.size() - begin));
    for (std::size_t i = 0; i < chosen.size(); ++i) norms[i] = part.norm(chosen[i]);
    Query* one = &queries_[query];
    scan_vectors({&one, 1}, {part, gate, poll, 0, chosen.size(), chosen.data(), nullptr, norms.data()});
  }
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

bool FlatSearch::Trial::end(bool pays) noexcept {
  longest_ = pays ? 0 : std::clamp<std::size_t>(2 * longest_, 1, kLongestRest);
  rest_ = longest_;
  return pays;
}

/// Before a floor is known, all codes are looked at anyway.
bool FlatSearch::may_tell_by_nibbles(const Query& query, const Chunk& chunk) const noexcept {
  return form_ >= FlatForm::nibbles && chunk.part.has_nibbles() && chunk.chosen == nullptr && has_floor(query) &&
         queries_.size() <= kMostByNibbles;
}

/// False where they leave so many rows that all codes of the chunk are to be looked at.
bool FlatSearch::scan_nibbles(Query& query, const Chunk& chunk) const {
  if (!query.of_nibbles.is_due()) return false;
  query.looked_at.nibbles += chunk.count;
  chunk.poll.spend(chunk.count * (dimension_ / 96 + 4));
  const kernel::Simd& simd = kernel::simd();
  std::array<std::int32_t, kChunk> dots;
  std::array<std::uint32_t, kChunk> rows;
  simd.nibble_dots(query.codes->coarse(), chunk.part.nibbles_from(chunk.first).data(), dimension_, chunk.count,
                   dots.data());
  const std::size_t left =
      simd.select(query.codes->terms(query.floors.front()), dots.data(),
                  &chunk.part.all_nibble_scales()[chunk.first].scale, chunk.norms, chunk.count, rows.data());
  if (!query.of_nibbles.end(left * kSparedByNibbles <= chunk.count)) return false;
  std::array<CodeScale, kChunk / kSparedByNibbles> scales;
  std::array<double, kChunk / kSparedByNibbles> norms;
  for (std::size_t i = 0; i < left; ++i) {
    scales[i] = chunk.scales[rows[i]];
    norms[i] = chunk.norms[rows[i]];
    rows[i] += chunk.first;
  }
  chunk.poll.spend(left * (dimension_ / 48 + 4));
  simd.code_dots(query.codes->coarse(), chunk.part.all_codes().data(), dimension_, rows.data(), left, dots.data());
  const Chunk rest{chunk.part, chunk.gate, chunk.poll, 0, left, rows.data(), scales.data(), norms.data()};
  std::array<std::uint32_t, kChunk / kSparedByNibbles> near;
  keep_near(query, rest, {near.data(), select_near(query, rest, dots.data(), near.data())});
  return true;
}

void FlatSearch::scan_codes(std::span<Query* const> queries, const Chunk& chunk) const {
  chunk.poll.spend(queries.size() * chunk.count * (dimension_ / 48 + 4));
  std::array<const std::int8_t*, kTogether> coarse;
  for (std::size_t q = 0; q < queries.size(); ++q) coarse[q] = queries[q]->codes->coarse();
  std::array<std::int32_t, kTogether * kChunk> dots;
  const std::int8_t* codes = chunk.part.all_codes().data();
  kernel::simd().code_dots_each(coarse.data(), queries.size(),
                                chunk.chosen != nullptr ? codes : codes + chunk.first * dimension_, dimension_,
                                chunk.chosen, chunk.count, dots.data());
  std::array<std::uint32_t, kChunk> near;
  std::array<Query*, kTogether> by_vectors;
  std::size_t waiting = 0;
  for (std::size_t q = 0; q < queries.size(); ++q) {
    Query& query = *queries[q];
    query.looked_at.codes += chunk.count;
    const std::size_t left = select_near(query, chunk, &dots[q * chunk.count], near.data());
    if (!has_floor(query) || query.of_codes.end(spares_vectors(query, left, chunk.count))) {
      keep_near(query, chunk, {near.data(), left});
    } else {
      by_vectors[waiting++] = &query;
    }
  }
  if (waiting > 0) scan_vectors({by_vectors.data(), waiting}, chunk);
}

/// Where few rows were seen, even their scores would leave many: of those that come, about k among so many.
bool FlatSearch::spares_vectors(const Query& query, std::size_t left, std::size_t rows) const noexcept {
  const double most = std::min(kMostLeftByCodes, kMostLeftByCodesOfAll / static_cast<double>(queries_.size()));
  const double by_scores = static_cast<double>(k_) / static_cast<double>(query.seen);
  return static_cast<double>(left) <= (most + 2 * by_scores) * static_cast<double>(rows);
}

/// The rows of a chunk that may be among the best by their coarse products with codes.
std::size_t FlatSearch::select_near(const Query& query, const Chunk& chunk, const std::int32_t* dots,
                                    std::uint32_t* near) const {
  if (has_floor(query))
    return kernel::simd().select(query.codes->terms(query.floors.front()), dots, &chunk.scales->scale, chunk.norms,
                                 chunk.count, near);
  std::iota(near, near + chunk.count, 0U);
  return chunk.count;
}

/// They get a second look, with all of the query's digits.
void FlatSearch::keep_near(Query& query, const Chunk& chunk, std::span<const std::uint32_t> near) const {
  if (near.empty()) return;
  std::array<std::uint32_t, kChunk> rows;
  for (std::size_t i = 0; i < near.size(); ++i) rows[i] = chunk.row(near[i]);
  std::array<float, kChunk> products;
  query.codes->dots(chunk.part.all_codes().data(), rows.data(), near.size(), products.data());
  for (std::size_t i = 0; i < near.size(); ++i) {
    const ScoreBounds bounds = query.codes->bounds(products[i], chunk.scales[near[i]], chunk.norms[near[i]]);
    if ((has_floor(query) && bounds.best < query.floors.front()) || !chunk.admits(rows[i])) continue;
    raise_floor(query, bounds.worst);
    query.candidates.push_back({bounds.best, rows[i], &chunk.part});
  }
  if (query.candidates.size() <= std::max({kManyCandidates, 4 * k_, 2 * query.kept}) || !has_floor(query)) return;
  std::erase_if(query.candidates, [&](const Candidate& c) { return c.best < query.floors.front(); });
  query.kept = query.candidates.size();
}

/// To a query without a direction all rows score 0.
void FlatSearch::take_first(Query& query, const Chunk& chunk) const {
  for (std::size_t i = 0; i < chunk.count; ++i) {
    const ScoredNode hit{chunk.part.node(chunk.row(i)), 0};
    if (query.best.would_keep(hit) && chunk.admits(chunk.row(i))) query.best.add(hit);
  }
}

void FlatSearch::scan_vectors(std::span<Query* const> queries, const Chunk& chunk) const {
  for (Query* query : queries) query->looked_at.vectors += chunk.count;
  // For the next queries, rows stay in the second-level cache.
  const std::size_t fitting = std::max<std::size_t>(16, kVectorBytes / (dimension_ * sizeof(float)) / 16 * 16);
  const std::size_t step = queries.size() > 1 ? fitting : chunk.count;
  for (std::size_t at = 0; at < chunk.count; at += step) {
    Chunk block{chunk.part, chunk.gate, chunk.poll, chunk.first + static_cast<std::uint32_t>(at)};
    block.count = std::min(step, chunk.count - at);
    if (chunk.chosen != nullptr) block.chosen = chunk.chosen + at;
    block.norms = chunk.norms + at;
    scan_block(queries, block);
  }
}

void FlatSearch::scan_block(std::span<Query* const> queries, const Chunk& chunk) const {
  chunk.poll.spend(queries.size() * chunk.count * (dimension_ / 6 + 4));
  std::array<const float*, kTogether> vectors;
  for (std::size_t q = 0; q < queries.size(); ++q) vectors[q] = queries[q]->vector.data();
  std::array<float, kTogether * kChunk> sums;
  const kernel::Simd& simd = kernel::simd();
  (metric_ == Metric::l2 ? simd.squared_l2s : simd.dots)(
      vectors.data(), queries.size(), chunk.part.vector(chunk.chosen != nullptr ? 0 : chunk.first).data(), dimension_,
      chunk.chosen, chunk.count, sums.data());
  for (std::size_t q = 0; q < queries.size(); ++q) keep_best(*queries[q], chunk, &sums[q * chunk.count]);
}

void FlatSearch::keep_best(Query& query, const Chunk& chunk, const float* sums) const {
  constexpr std::size_t kBlock = 16;
  const DensePart& part = chunk.part;
  SumFloor floor;
  for (std::size_t i = 0; i < chunk.count; ++i) {
    if (has_floor(query)) {
      if (i % kBlock == 0) {
        floor = SumFloor(metric_, query.floors.front(), query.scorer.query_norm());
        const std::size_t size = std::min(kBlock, chunk.count - i);
        std::size_t below = 0;
        for (std::size_t j = i; j < i + size; ++j) below += floor.is_above(sums[j], chunk.norms[j]) ? 1 : 0;
        if (below == size) {
          i += size - 1;
          continue;
        }
      }
      if (floor.is_above(sums[i], chunk.norms[i])) continue;
    }
    const std::uint32_t row = chunk.row(i);
    const ScoredNode hit{part.node(row), query.scorer.score(sums[i], part.vector(row), chunk.norms[i])};
    if (!std::isfinite(hit.score) || !query.best.would_keep(hit) || !chunk.admits(row)) continue;
    query.best.add(hit);
    raise_floor(query, hit.score);
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

bool FlatSearch::is_nearer(const Candidate& a, const Candidate& b) noexcept {
  return a.best > b.best || (a.best == b.best && a.part->node(a.row) < b.part->node(b.row));
}

std::size_t FlatSearch::most_by_bits() const noexcept {
  return std::max(kLeastByBits, k_ > SIZE_MAX / kByBitsForHit ? SIZE_MAX : k_ * kByBitsForHit);
}

void FlatSearch::scan_bits(Query& query, const Chunk& chunk) const {
  const DensePart& part = chunk.part;
  chunk.poll.spend(chunk.count * (dimension_ / 256 + 4));
  const std::size_t most = most_by_bits();
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
    if (heap.size() == most && !is_nearer(candidate, heap.front())) continue;
    if (!chunk.admits(candidate.row)) continue;
    if (heap.size() == most) {
      std::pop_heap(heap.begin(), heap.end(), is_nearer);
      heap.back() = candidate;
    } else {
      heap.push_back(candidate);
    }
    std::push_heap(heap.begin(), heap.end(), is_nearer);
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
    std::sort(to.by_bits.begin(), to.by_bits.end(), is_nearer);
    to.by_bits.resize(std::min(to.by_bits.size(), most_by_bits()));
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
