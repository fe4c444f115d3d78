#include "support/data.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/base/utf8.hpp>
#include <ragstone/text/encoding.hpp>
#include <ragstone/text/segment.hpp>

#include <algorithm>

#include <gtest/gtest.h>

namespace ragstone {
namespace {

// Without white space, as the manifest's snippets must be compared.
std::string squeeze(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const utf8::Decoded c = utf8::decode(text, at);
    const bool space = c.code_point <= 0x20 || c.code_point == 0xA0 || c.code_point == 0x3000 || c.code_point == 0xFEFF;
    if (!space) out.append(text.substr(at, c.size));
    at += c.size;
  }
  return out;
}

TEST(Documents, EveryTextFileReadsAsItsManifestSays) {
  RAGSTONE_DATA_OR_SKIP(folder, "documents");
  std::size_t files = 0;
  for (const std::string& line : test::read_lines(folder / "manifest.tsv")) {
    const auto fields = test::split_tabs(line);
    if (fields.size() < 6 || fields[1] != "txt") continue;
    ++files;
    const std::string bytes = test::read_file(folder / fields[0]);
    try {
      const DecodedText decoded = decode_text(bytes);
      EXPECT_NE(fields[2], "error") << fields[0];
      ASSERT_TRUE(utf8::is_valid(decoded.text));
      const std::string text = squeeze(decoded.text);
      EXPECT_EQ(text.empty(), fields[2] == "empty") << fields[0];
      EXPECT_NE(text.find(squeeze(fields[5])), std::string::npos) << fields[0] << " as " << decoded.encoding;
      EXPECT_EQ(decoded.offsets.to_file(decoded.text.size()), bytes.size()) << fields[0];
    } catch (const Error& error) {
      EXPECT_NE(fields[2], "ok") << fields[0] << ": " << error.what();
      EXPECT_EQ(error.errc(), Errc::parse_error);
    }
  }
  EXPECT_GE(files, 18u);
}

TEST(Documents, OneTextInSixEncodingsIsOneText) {
  RAGSTONE_DATA_OR_SKIP(folder, "documents/txt");
  const std::string expected = decode_text(test::read_file(folder / "zh-utf8.txt")).text;
  for (const auto& [name, encoding] :
       std::vector<std::pair<const char*, const char*>>{{"zh-utf8-bom.txt", "UTF-8"},
                                                        {"zh-utf16le-bom.txt", "UTF-16LE"},
                                                        {"zh-utf16be-bom.txt", "UTF-16BE"},
                                                        {"zh-gbk.txt", "GB18030"}}) {
    const DecodedText decoded = decode_text(test::read_file(folder / name));
    EXPECT_EQ(decoded.encoding, encoding) << name;
    EXPECT_EQ(decoded.text, expected) << name;
  }
  EXPECT_EQ(decode_text(test::read_file(folder / "zh-gb18030.txt")).encoding, "GB18030");
}

}  // namespace
}  // namespace ragstone
