#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Real data for tests: a folder named by the environment variable RAGSTONE_DATA.
namespace ragstone::test {

/// The path of `relative` in the data folder; nothing if RAGSTONE_DATA is unset or the path does not exist.
std::optional<std::filesystem::path> find_data(const std::filesystem::path& relative);

/// True if RAGSTONE_REQUIRE_DATA=1: a test without its data must then fail instead of being skipped.
bool data_required();

/// All bytes of a file. Throws std::runtime_error if it cannot be read.
std::string read_file(const std::filesystem::path& path);

/// Lines without their "\n" ("\r" stays); a last line without "\n" counts. Throws std::runtime_error.
std::vector<std::string> read_lines(const std::filesystem::path& path);

/// The content of a gzip file (a file that is not packed is read as it is). A truncated or damaged file throws.
std::string read_gz(const std::filesystem::path& path);
std::vector<std::string> read_gz_lines(const std::filesystem::path& path);

/// The fields of a line of tab-separated values.
std::vector<std::string_view> split_tabs(std::string_view line);

}  // namespace ragstone::test

/// Declares `const std::filesystem::path variable` as a path in the data folder, in a test body; the test is skipped
/// when the data is absent, and fails instead with RAGSTONE_REQUIRE_DATA=1.
#define RAGSTONE_DATA_OR_SKIP(variable, relative)                                                 \
  const auto variable##_found = ::ragstone::test::find_data(relative);                            \
  if (!variable##_found && ::ragstone::test::data_required())                                     \
    FAIL() << "test data is required, but RAGSTONE_DATA has no " << (relative);                   \
  if (!variable##_found) GTEST_SKIP() << "set RAGSTONE_DATA to a folder that has " << (relative); \
  const std::filesystem::path variable = *variable##_found
