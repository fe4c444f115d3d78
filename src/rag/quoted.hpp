#pragma once

#include <ragstone/rag/hit.hpp>

#include <cstddef>
#include <string>
#include <string_view>

/// Material in a prompt, told from what the prompt says itself.
namespace ragstone {

/// A source's name, or whatever tells where a text is from, on one line of bounded length.
std::string one_line_label(std::string_view text);

/// A text between two lines that hold `nonce`, which it cannot foresee; the first of them also holds `label`.
std::string quoted(std::string_view nonce, std::string_view label, std::string_view text);

/// A hit's text with its number, its source and its bytes.
std::string quoted_passage(const Hit& hit, std::size_t number, std::string_view nonce);

}  // namespace ragstone
