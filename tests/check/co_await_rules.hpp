#pragma once

#include "check/source_text.hpp"

#include <string_view>
#include <vector>

namespace ragstone::check {

/// Full expressions with a `co_await` that also hold a braced temporary, a lambda or `?:`. g++ 12 destroys temporaries
/// of such expressions twice; see CONTRIBUTING.md. One finding per kind and `co_await`.
std::vector<Finding> co_await_findings(std::string_view source);

}  // namespace ragstone::check
