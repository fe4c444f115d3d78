#pragma once

#include "reader/text_unit.hpp"
#include "reader/unit_stream.hpp"
#include <ragstone/base/span.hpp>
#include <ragstone/text/token_counter.hpp>

#include <cstddef>
#include <deque>
#include <optional>
#include <string_view>
#include <vector>

namespace ragstone::detail {

/// Packs the units of a text into chunks, see sentence_chunker().
///
/// Where a chunk ends is decided by the text near it: among the places that leave it more than half full the strongest
/// is taken, and of equally strong ones that with the smallest hash of the bytes around it. Two packings of almost the
/// same text, which begin at different places, therefore soon meet at a common place and are equal from there on.
class Packer {
 public:
  /// `text` and `counter` outlive the packer.
  Packer(std::string_view text, const TokenCounter& counter, std::size_t max_tokens, std::size_t overlap_tokens)
      : text_(text),
        counter_(counter),
        max_tokens_(max_tokens),
        overlap_tokens_(overlap_tokens),
        stream_(text, counter) {}

  /// The next chunk, without white space at its ends; nothing at the end of the text.
  std::optional<Span> next();

 private:
  /// A place where the chunk that is being made may end: behind `units` units of ahead_.
  struct End {
    std::size_t units = 0;
    std::size_t tokens = 0;
  };

  bool open_chunk();
  void take_overlap();
  void extend();
  std::optional<End> choose();
  void close_chunk(const End& end);

  /// The unit at that place of ahead_, read if need be; null at the end of the text.
  const Unit* peek(std::size_t index);
  bool split(std::size_t index);
  void forget();
  bool must_end_before(const Unit& unit) const;
  bool is_half_full(const End& end) const { return end.tokens > overlap_ + (max_tokens_ - overlap_) / 2; }
  bool is_tiny(std::size_t tokens) const { return tokens < max_tokens_ / 8; }
  Span span_to(const End& end) const;
  std::vector<End> candidates(std::size_t most_tokens);
  End best_of(const std::vector<End>& ends);
  std::size_t tokens_behind_ends();
  const Unit* unit_after(const End& end);
  std::uint64_t hash_at(const End& end);

  std::string_view text_;
  const TokenCounter& counter_;
  std::size_t max_tokens_;
  std::size_t overlap_tokens_;
  UnitStream stream_;
  std::deque<Unit> before_;     // the units up to the last cut that an overlap can reach
  std::deque<Unit> ahead_;      // the units from the last cut on, as far as they were looked at
  std::size_t begin_ = 0;       // of the chunk that is being made
  std::size_t last_begin_ = 0;  // of the chunk before
  std::size_t overlap_ = 0;     // tokens before the cut that it repeats
  std::vector<End> ends_;       // where it may end, in order; all fit
  bool reached_end_ = false;    // all that is left fits
};

}  // namespace ragstone::detail
