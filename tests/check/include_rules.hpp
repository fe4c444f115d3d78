#pragma once

#include "check/source_text.hpp"

#include <filesystem>
#include <string_view>
#include <vector>

namespace ragstone::check {

/// Includes in a file under include/ or src/ (`file` is relative to the project's root) that reach a layer above the
/// file's own, and Asio below the async layer.
std::vector<Finding> layer_findings(const std::filesystem::path& file, std::string_view source);

/// Includes of a public header that are neither standard, nor Ragstone's, nor one of the few small Boost headers that
/// its interface needs.
std::vector<Finding> public_header_findings(std::string_view source);

}  // namespace ragstone::check
