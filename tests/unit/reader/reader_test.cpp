#include "reader/markdown_title.hpp"
#include "support/data.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/reader/reader.hpp>
#include <ragstone/text/utf8.hpp>

#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ragstone {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

ReadText read(const Reader& reader, std::string path, std::string bytes) {
  RawFile file;
  file.path = std::move(path);
  file.bytes = std::move(bytes);
  return reader.read(file, {});
}

std::string without_white_space(std::string_view text) {
  std::string rest;
  for (const utf8::CodePoint point : utf8::CodePoints(text))
    if (point.value > 0x20 && point.value != 0xA0 && point.value != 0x3000)
      rest += text.substr(point.begin, point.end - point.begin);
  return rest;
}

TEST(Reader, AcceptsItsFilesInAnyCase) {
  for (const char* path : {"a.txt", "b/第一章.TXT", "c.text", "d.log"})
    EXPECT_TRUE(text_reader()->accepts(path)) << path;
  for (const char* path : {"a.md", "b/README.MD", "c.markdown", "d.mkd"})
    EXPECT_TRUE(markdown_reader()->accepts(path)) << path;
  for (const char* path : {"txt", ".txt", "a/.txt", "a.txt.gz", "a.md", ""})
    EXPECT_FALSE(text_reader()->accepts(path)) << path;
}

TEST(Reader, TextStaysAsItIsWritten) {
  const std::string text = "\t一行\r\n\r\nline two  \n";
  const ReadText result = read(*text_reader(), "a.txt", text);
  EXPECT_EQ(result.text, text);
  EXPECT_EQ(result.offsets, OffsetMap());
  EXPECT_EQ(result.metadata.text("encoding"), "UTF-8");
  EXPECT_EQ(read(*text_reader(), "empty.txt", "").text, "");
}

TEST(Reader, AnErrorNamesTheFileAndThePosition) {
  try {
    read(*text_reader(), "notes/binary.txt", std::string("MZ\0\0\xFF\xFE", 6));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.errc(), Errc::parse_error);
    EXPECT_THAT(error.what(), HasSubstr("notes/binary.txt"));
    EXPECT_THAT(error.what(), HasSubstr("byte 2"));
  }
}

TEST(Reader, ATextThatIsNotUtf8IsTheReadersFault) {
  class Broken final : public Reader {
   public:
    const std::string& signature() const noexcept override { return signature_; }
    bool accepts(std::string_view) const noexcept override { return true; }

   private:
    ReadText do_read(const RawFile&, const StopToken&) const override {
      ReadText result;
      result.text = "ab\xFF";
      return result;
    }
    std::string signature_ = "broken/1";
  };
  try {
    read(Broken(), "a.x", "");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.errc(), Errc::invalid_argument);
    EXPECT_THAT(error.what(), HasSubstr("broken/1"));
  }
}

TEST(Reader, AStopEndsTheReading) {
  std::stop_source source;
  source.request_stop();
  EXPECT_THROW(text_reader()->read(RawFile(), source.get_token()), boost::system::system_error);
}

TEST(Reader, SpansOfGb18030TextAreFoundInTheFile) {
  RAGSTONE_DATA_OR_SKIP(path, "documents/txt/zh-gb18030.txt");
  const std::string bytes = test::read_file(path);
  const ReadText result = read(*text_reader(), "zh-gb18030.txt", bytes);
  EXPECT_EQ(result.metadata.text("encoding"), "GB18030");
  // "科学家" in GB18030.
  const std::string wanted = "\xBF\xC6\xD1\xA7\xBC\xD2";
  std::size_t found = 0;
  for (std::size_t at = result.text.find("科学家"); at != std::string::npos; at = result.text.find("科学家", at + 1)) {
    const Span span = result.offsets.to_file(Span{at, at + 9});
    EXPECT_EQ(span.of(bytes), wanted);
    ++found;
  }
  EXPECT_GE(found, 2u);
  EXPECT_EQ(result.offsets.to_file(result.text.size()), bytes.size());
}

TEST(Reader, RealTextAndMarkdownFilesAreReadAsTheirManifestSays) {
  RAGSTONE_DATA_OR_SKIP(folder, "documents");
  int seen = 0;
  for (const std::string& line : test::read_lines(folder / "manifest.tsv")) {
    const auto fields = test::split_tabs(line);
    ASSERT_GE(fields.size(), 5u);
    const bool markdown = fields[1] == "md";
    if (!markdown && fields[1] != "txt") continue;
    ++seen;
    const auto reader = markdown ? markdown_reader() : text_reader();
    const std::string name(fields[0]);
    ASSERT_TRUE(reader->accepts(name)) << name;
    try {
      const ReadText result = read(*reader, name, test::read_file(folder / name));
      EXPECT_NE(fields[2], "error") << name;
      const std::string text = without_white_space(result.text);
      if (fields[2] == "empty") {
        EXPECT_EQ(text, "") << name;
      }
      if (fields[2] == "ok") {
        EXPECT_THAT(text, HasSubstr(without_white_space(fields[5]))) << name;
      }
    } catch (const Error& error) {
      EXPECT_TRUE(fields[2] == "error" || fields[2] == "either") << error.what();
      EXPECT_EQ(error.errc(), Errc::parse_error);
      EXPECT_THAT(error.what(), HasSubstr(name));
    }
  }
  EXPECT_EQ(seen, 36);
}

TEST(Reader, EverySectionOfARealBookHasATitle) {
  RAGSTONE_DATA_OR_SKIP(book, "corpora/d2l-book");
  int sections = 0;
  for (const auto& entry : fs::recursive_directory_iterator(book)) {
    if (!markdown_reader()->accepts(entry.path().native())) continue;
    const std::string bytes = test::read_file(entry.path());
    const ReadText result = read(*markdown_reader(), entry.path().native(), bytes);
    EXPECT_EQ(result.text, bytes);
    const auto title = result.metadata.text("title");
    EXPECT_EQ(title.has_value(), bytes.find("# ") != std::string::npos) << entry.path();
    sections += title.has_value();
  }
  EXPECT_GE(sections, 270);
  const ReadText zh =
      read(*markdown_reader(), "a.md", test::read_file(book / "zh/chapter_attention-mechanisms/attention-cues.md"));
  EXPECT_EQ(zh.metadata.text("title"), "注意力提示");
}

TEST(MarkdownTitle, IsTheFirstHeadingWithoutMarkup) {
  EXPECT_EQ(markdown_title("Some text.\n\n## The `run()` *function* &amp; [its](x) &#x4E2D; end ##\n\n# Later\n"),
            "The run() function & its 中 end");
  EXPECT_EQ(markdown_title("注意力  提示\n=====\n"), "注意力 提示");
  EXPECT_EQ(markdown_title("#\n\n# <b>**粗体**</b>标题\r\n"), "粗体标题");
  EXPECT_EQ(markdown_title("> - # Inside a quote\n"), "Inside a quote");
}

TEST(MarkdownTitle, AHeadingInACodeBlockIsNone) {
  EXPECT_EQ(markdown_title("```\n# not this\n```\n\n# this\n"), "this");
  EXPECT_EQ(markdown_title("~~~sh\n# comment\n"), "");
  EXPECT_EQ(markdown_title("    # code\n"), "");
  EXPECT_EQ(markdown_title("#no space\n"), "");
  EXPECT_EQ(markdown_title(""), "");
}

TEST(MarkdownTitle, AFrontMatterGoesFirst) {
  EXPECT_EQ(markdown_title("---\ndate: 2024\ntitle: \"第一章：引言\"\n---\n# Heading\n"), "第一章：引言");
  EXPECT_EQ(markdown_title("---\r\ntitle: Plain title\r\n---\r\n"), "Plain title");
  EXPECT_EQ(markdown_title("---\ndate: 2024\n---\n# Heading\n"), "Heading");
  EXPECT_EQ(markdown_title("---\ntitle: never closed\n\n# Heading\n"), "Heading");
}

TEST(MarkdownTitle, LongAndHostileTextsAreHarmless) {
  EXPECT_EQ(markdown_title(std::string(1'000'000, '[')), "");
  EXPECT_EQ(markdown_title(std::string(1'000'000, '>')), "");
  std::string long_heading = "# ";
  for (int i = 0; i < 10'000; ++i) long_heading += "长";
  EXPECT_EQ(markdown_title(long_heading).size(), 999u);
}

}  // namespace
}  // namespace ragstone
