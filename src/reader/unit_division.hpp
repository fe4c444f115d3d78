#pragma once

#include "reader/text_unit.hpp"
#include <ragstone/text/token_counter.hpp>

#include <string_view>
#include <vector>

namespace ragstone::detail {

/// The parts of a unit at the first finer level that divides it: sentences into clauses, words, blocks of some dozen
/// bytes (at places that the bytes before them decide), graphemes, code points. Empty if it is one code point.
std::vector<Unit> divide(std::string_view text, const Unit& unit, const TokenCounter& counter);

}  // namespace ragstone::detail
