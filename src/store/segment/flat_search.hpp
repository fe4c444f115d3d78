#pragma once

#include "index/vector_scorer.hpp"
#include "kernel/stop_poll.hpp"
#include "kernel/top_k.hpp"
#include "store/segment/codes.hpp"
#include "store/segment/dense_part.hpp"
#include "store/segment/row_gate.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace ragstone::segment {

/// What a flat search reads of the rows that it does not score.
enum class FlatForm {
  vectors,  ///< All vectors; exact.
  codes,    ///< i8: tells which rows cannot be among the best; exact.
  nibbles,  ///< Four bits an element, before the codes; exact. Parts without nibbles are searched by codes.
  bits,     ///< Signs: the nearest of them are scored. Parts without bits are searched as by `nibbles`.
};

/// So many queries at most look at nibbles in a pass. Several read each row of codes once; then nibbles, after which
/// codes are read here and there, cost more than they spare.
inline constexpr std::size_t kMostByNibbles = 1;

/// Searches rows one after the other for several queries in a pass: rows stay in the cache for the next query.
class FlatSearch {
 public:
  /// `queries` are [n x dimension], finite, and outlive the search; `k` is at least 1.
  FlatSearch(std::span<const float> queries, std::size_t dimension, Metric metric, std::size_t k, FlatForm form);

  /// Looks at the rows from `begin` to `end` of a part, which outlives the search.
  void scan(const DensePart& part, const RowGate& gate, std::uint32_t begin, std::uint32_t end, kernel::StopPoll& poll);
  /// Adds what another search for the same found in other rows.
  void absorb(FlatSearch other);
  /// Scores rows that were found otherwise, and are not scanned.
  void score(std::size_t query, const DensePart& part, const RowGate& gate, std::span<const std::uint32_t> rows,
             kernel::StopPoll& poll);
  /// Of each query, best first.
  std::vector<std::vector<ScoredNode>> take(kernel::StopPoll& poll) &&;

  /// Rows, by what was read of them one after the other.
  struct LookedAt {
    std::size_t nibbles = 0;
    std::size_t codes = 0;
    std::size_t vectors = 0;
  };
  const LookedAt& looked_at(std::size_t query) const noexcept { return queries_[query].looked_at; }

 private:
  using Best = kernel::TopK<ScoredNode, ranks_before>;

  /// A row that is not scored yet.
  struct Candidate {
    double best = 0;  ///< Not below its score; of rows found by bits, minus the distance of the bits.
    std::uint32_t row = 0;
    const DensePart* part = nullptr;
  };

  /// Whether a cheap look at rows spares dearer ones. Where it does not, it rests, longer each time: what it costs
  /// comes to little, and other rows may be different.
  class Trial {
   public:
    /// To be asked once a chunk.
    bool is_due() noexcept {
      if (rest_ == 0) return true;
      --rest_;
      return false;
    }
    /// Gives back whether it pays.
    bool end(bool pays) noexcept;

   private:
    std::size_t rest_ = 0;  ///< Chunks until the next look.
    std::size_t longest_ = 0;
  };

  struct Query {
    std::span<const float> vector;
    VectorScorer scorer;
    std::optional<CodeQuery> codes;   ///< Once a scan needs them, as
    std::vector<std::uint64_t> bits;  ///< these.
    Best best;
    std::vector<Candidate> candidates;
    std::size_t kept = 0;            ///< Candidates when those below the floor were dropped last.
    std::vector<double> floors;      ///< A heap of the k best lower bounds, the lowest in front.
    std::vector<Candidate> by_bits;  ///< A heap of the nearest, the farthest in front.
    std::size_t seen = 0;            ///< Rows.
    Trial of_nibbles;
    Trial of_codes;
    LookedAt looked_at;
  };

  struct Chunk;
  class SumFloor;

  /// Of rows found by bits; the same whoever scanned them.
  static bool is_nearer(const Candidate& a, const Candidate& b) noexcept;
  std::size_t most_by_bits() const noexcept;
  bool has_floor(const Query& query) const noexcept { return query.floors.size() == k_; }
  void look_at(const Chunk& chunk, bool few);
  const CodeQuery& codes_of(Query& query) const;
  const std::vector<std::uint64_t>& bits_of(Query& query) const;
  void raise_floor(Query& query, double worst) const;
  bool may_tell_by_nibbles(const Query& query, const Chunk& chunk) const noexcept;
  bool scan_nibbles(Query& query, const Chunk& chunk) const;
  void scan_codes(std::span<Query* const> queries, const Chunk& chunk) const;
  bool spares_vectors(const Query& query, std::size_t left, std::size_t rows) const noexcept;
  std::size_t select_near(const Query& query, const Chunk& chunk, const std::int32_t* dots, std::uint32_t* near) const;
  void keep_near(Query& query, const Chunk& chunk, std::span<const std::uint32_t> near) const;
  void take_first(Query& query, const Chunk& chunk) const;
  void scan_vectors(std::span<Query* const> queries, const Chunk& chunk) const;
  void scan_block(std::span<Query* const> queries, const Chunk& chunk) const;
  void keep_best(Query& query, const Chunk& chunk, const float* sums) const;
  void scan_bits(Query& query, const Chunk& chunk) const;
  void scan_signs(Query& query, const Chunk& chunk) const;
  void score(Query& query, const DensePart& part, std::uint32_t row) const;
  void score_candidates(Query& query, kernel::StopPoll& poll) const;

  std::size_t dimension_;
  Metric metric_;
  std::size_t k_;
  FlatForm form_;
  std::vector<Query> queries_;
};

}  // namespace ragstone::segment
