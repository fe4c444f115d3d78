#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ragstone {

/// The first lines of a model's reply that hold a letter or digit, at most `limit`, each once, without bullets, numbers
/// ("1. ", "2) ", "3、") and quotation marks around them.
std::vector<std::string> model_lines(std::string_view reply, std::size_t limit);

}  // namespace ragstone
