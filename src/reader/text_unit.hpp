#pragma once

#include <cstddef>
#include <cstdint>

namespace ragstone::detail {

/// How clearly a text divides at a place, weakest first.
enum class Strength : std::uint8_t { character, word, clause, sentence, line, paragraph, heading };

/// What a unit is a piece of; each level divides the one before.
enum class Level : std::uint8_t { sentence, clause, word, block, grapheme, code_point };

/// A piece of text that is packed as a whole as long as it fits. Units follow each other and their spans put together
/// are the text.
struct Unit {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t tokens = 0;                ///< About; what counts is the count of the whole chunk.
  Strength opens = Strength::character;  ///< Of the place where the unit begins.
  Level level = Level::sentence;
  bool blank = false;  ///< Nothing but white space.
};

}  // namespace ragstone::detail
