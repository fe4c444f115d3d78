#pragma once

#include <ragstone/base/filter_ast.hpp>

#include <cstddef>
#include <string>
#include <string_view>

/// Rules that the parser and the builders share. Empty if all is well, otherwise a phrase for a message.
namespace ragstone::detail {

inline constexpr std::size_t kMaxPatternBytes = 4096;

std::string comparison_problem(CompareOp op, const Scalar& value);
std::string pattern_problem(std::string_view pattern);

/// True if a field of this name can be written without backquotes.
bool is_plain_field(std::string_view name) noexcept;
/// True if the word is one of the language's own, in any case.
bool is_keyword(std::string_view word) noexcept;

}  // namespace ragstone::detail
