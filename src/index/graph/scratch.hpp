#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace ragstone::graph {

/// Of a candidate's node: whether its links have been followed.
inline constexpr std::uint32_t kFollowed = std::uint32_t{1} << 31;

/// A node on a walk's list, and how far it is.
struct Candidate {
  float distance = 0;
  std::uint32_t node = 0;  ///< With kFollowed.
};

/// What a walk writes to: the nodes that it has come to, and its list.
class Scratch {
 public:
  explicit Scratch(std::size_t nodes) : visited_((nodes + 63) / 64), touched_(visited_.size() + 1) {}

  bool has_visited(std::uint32_t node) const noexcept { return (visited_[node / 64] >> (node % 64) & 1) != 0; }

  /// 0 if it was visited before, otherwise 1; without a branch that could be foretold wrongly.
  std::size_t visit(std::uint32_t node) noexcept {
    std::uint64_t& word = visited_[node / 64];
    const std::uint64_t bit = std::uint64_t{1} << (node % 64);
    const std::size_t is_new = (word & bit) == 0 ? 1 : 0;
    touched_[touched_count_] = node / 64;
    touched_count_ += word == 0 ? 1 : 0;
    word |= bit;
    return is_new;
  }

  /// Puts a node on the list, nearest first, which holds at most so many: its place, or SIZE_MAX if it is too far.
  std::size_t insert(const Candidate& candidate, std::size_t most) {
    if (candidates.size() < most) {
      candidates.emplace_back();
    } else if (!(candidate.distance < candidates.back().distance)) {
      return SIZE_MAX;
    }
    std::size_t place = candidates.size() - 1;
    Candidate* all = candidates.data();
    if (place > kLong) {
      Candidate* after = std::upper_bound(
          all, all + place, candidate, [](const Candidate& a, const Candidate& b) { return a.distance < b.distance; });
      std::move_backward(after, all + place, all + place + 1);
      place = static_cast<std::size_t>(after - all);
    } else {
      // Most come near the end of a list that is short.
      for (; place > 0 && candidate.distance < all[place - 1].distance; --place) all[place] = all[place - 1];
    }
    all[place] = candidate;
    return place;
  }

  void clear() noexcept {
    for (std::size_t i = 0; i < touched_count_; ++i) visited_[touched_[i]] = 0;
    touched_count_ = 0;
    candidates.clear();
  }

  std::vector<Candidate> candidates;

 private:
  static constexpr std::size_t kLong = 512;

  std::vector<std::uint64_t> visited_;
  std::vector<std::uint32_t> touched_;  ///< Words with a bit, each once; one more may be written, see visit().
  std::size_t touched_count_ = 0;
};

/// Keeps what walks over one graph write to, so that they allocate nothing. Thread-safe.
class ScratchPool {
 public:
  explicit ScratchPool(std::size_t nodes) : nodes_(nodes) {}

  std::unique_ptr<Scratch> take();
  void give_back(std::unique_ptr<Scratch> scratch);

 private:
  std::size_t nodes_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Scratch>> free_;
};

}  // namespace ragstone::graph
