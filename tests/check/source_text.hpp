#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace ragstone::check {

/// Something that breaks a rule of the project.
struct Finding {
  std::size_t line = 0;  ///< From 1.
  std::string what;
};

/// The same number of bytes and lines, with comments and the contents of string and character literals blanked.
/// Preprocessor lines become statements of their own: blank ones, except that a macro's body stays.
std::string code_of(std::string_view source);

/// The line of a byte position, from 1.
std::size_t line_of(std::string_view source, std::size_t position);

struct Include {
  std::size_t line = 0;
  bool quoted = false;  ///< "..." and not <...>
  std::string path;
};

std::vector<Include> includes_of(std::string_view source);

/// Every .hpp, .cpp and .h file under the named folders of the project, as paths from its root, sorted.
std::vector<std::filesystem::path> source_files(const std::filesystem::path& root,
                                                const std::vector<std::string>& folders);

}  // namespace ragstone::check
