#include "check/source_text.hpp"
#include "support/data.hpp"

#include <cctype>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace ragstone::check {
namespace {

/// How many requirements of each kind there are; each is cited by a comment beside a test of it.
const std::map<std::string, int> kRequirements = {
    {"CB-", 6},  // callbacks
    {"TK-", 5},  // token and cost accounting
    {"BT-", 3},  // batches
    {"RT-", 1},  // retries
    {"CA-", 2},  // caches
    {"RV-", 4},  // retrievers
    {"HT-", 4},  // wires
    {"MM-", 4},  // memories
    {"IX-", 4},  // ingest
    {"F", 10},   // faults of the machine
    {"N", 9},    // faults of the network
    {"C", 4},    // concurrency
};

std::string text_after(std::string_view line, std::string_view mark) {
  const std::size_t at = line.find(mark);
  return at == line.npos ? std::string() : std::string(line.substr(at + mark.size()));
}

TEST(RequirementCheck, EachIsCitedByATest) {
  const std::filesystem::path root = RAGSTONE_SOURCE_DIR;
  std::set<std::string> wanted = {"S1", "S7", "S8", "S9"};
  for (const auto& [kind, count] : kRequirements)
    for (int i = 1; i <= count; ++i) wanted.insert(kind + std::to_string(i));
  std::map<std::string, std::set<std::string>> cited;
  for (const auto& file : source_files(root, {"tests/unit", "tests/fuzz", "tests/support"})) {
    for (const std::string& line : test::read_lines(root / file)) {
      std::string word;
      for (const char c : text_after(line, "//") + " ") {
        if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-') {
          word += c;
          continue;
        }
        if (wanted.contains(word)) cited[word].insert(file.filename().string());
        word.clear();
      }
    }
  }
  for (const std::string& id : wanted) {
    EXPECT_FALSE(cited[id].empty()) << id << " is cited by no test";
    std::printf("%-5s", id.c_str());
    for (const std::string& file : cited[id]) std::printf(" %s", file.c_str());
    std::printf("\n");
  }
}

}  // namespace
}  // namespace ragstone::check
