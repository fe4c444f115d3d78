#include "reader/dataset_id.hpp"

#include <ragstone/text/utf8.hpp>

#include <random>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

/// The way back, as the header describes it.
std::string decode(std::string_view id) {
  std::string path;
  for (std::size_t i = 0; i < id.size(); ++i) {
    const std::string digits(id.substr(i + 1 < id.size() ? i + 1 : id.size(), 2));
    if (id[i] == '%' && digits.size() == 2 && digits.find_first_not_of("0123456789ABCDEF") == std::string::npos) {
      const int value = std::stoi(digits, nullptr, 16);
      if (value >= 0x80 || value == 0x25) {
        path += static_cast<char>(value);
        i += 2;
        continue;
      }
    }
    path += id[i];
  }
  return path;
}

TEST(DatasetId, OrdinaryNamesStayAsTheyAre) {
  for (const char* name : {"notes/read me.md", "手册/第一章.md", "100%.md", "a%20b.txt", "line\nbreak.txt", "50%25"})
    EXPECT_EQ(decode(dataset_id(name)), name);
  for (const char* name : {"notes/read me.md", "手册/第一章.md", "100%.md", "a%20b.txt", "line\nbreak.txt", "%e9"})
    EXPECT_EQ(dataset_id(name), name);
}

TEST(DatasetId, BytesThatAreNotUtf8ArePercentEscaped) {
  EXPECT_EQ(dataset_id("caf\xE9.txt"), "caf%E9.txt");
  EXPECT_EQ(dataset_id("\xD6\xD0\xCE\xC4/a.md"), "%D6%D0%CE%C4/a.md");
}

TEST(DatasetId, TwoPathsNeverShareAnId) {
  EXPECT_NE(dataset_id("caf%E9.txt"), dataset_id("caf\xE9.txt"));
  EXPECT_EQ(dataset_id("caf%E9.txt"), "caf%25E9.txt");
  std::mt19937 random(20240611);
  const std::string pieces[] = {"%", "2", "5", "25", "E", "9", "\xE9", "\xE4", "\xB8", "\xAD", "中", "a", "/"};
  std::set<std::string> paths;
  for (int i = 0; i < 20'000; ++i) {
    std::string path;
    for (unsigned n = random() % 8 + 1; n > 0; --n) path += pieces[random() % std::size(pieces)];
    paths.insert(path);
  }
  for (const std::string& path : paths) {
    const std::string id = dataset_id(path);
    ASSERT_TRUE(utf8::is_valid(id));
    ASSERT_EQ(decode(id), path) << id;
  }
}

}  // namespace
}  // namespace ragstone
