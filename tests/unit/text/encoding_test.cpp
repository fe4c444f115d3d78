#include "support/rounds.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/text/encoding.hpp>
#include <ragstone/text/utf8.hpp>

#include <random>

#include <gtest/gtest.h>
#include <unicode/ucnv.h>

namespace ragstone {
namespace {

using namespace std::string_literals;

const char kChinese[] =
    "深度学习是机器学习的一个分支，它使用多层神经网络来学习数据的表示。\n"
    "几年前，在大公司和初创公司中，并没有大量的深度学习科学家开发智能产品和服务。Hello, GPU 2024!\n";
const char kEnglish[] = "The quick brown fox – “quoted” – jumps over the café.\nIt costs 5 € a day.\n";

std::string encode(std::string_view text, const char* encoding) {
  UErrorCode status = U_ZERO_ERROR;
  std::string bytes(text.size() * 4 + 16, '\0');
  const std::int32_t size = ucnv_convert(encoding, "UTF-8", bytes.data(), static_cast<std::int32_t>(bytes.size()),
                                         text.data(), static_cast<std::int32_t>(text.size()), &status);
  EXPECT_TRUE(U_SUCCESS(status)) << encoding;
  bytes.resize(static_cast<std::size_t>(size));
  return bytes;
}

std::string message_of(const auto& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.errc(), Errc::parse_error);
    return error.what();
  }
  return "no error";
}

// Each character of the text must come from the bytes that the map names.
void expect_true_map(const std::string& bytes, const DecodedText& decoded) {
  for (const utf8::CodePoint c : utf8::CodePoints(decoded.text)) {
    const Span file = decoded.offsets.to_file(Span{c.begin, c.end});
    DecodeOptions options;
    options.encoding = decoded.encoding;
    ASSERT_EQ(decode_text(std::string(file.of(bytes)), options).text, decoded.text.substr(c.begin, c.end - c.begin))
        << decoded.encoding << " at " << c.begin;
  }
  EXPECT_EQ(decoded.offsets.to_file(decoded.text.size()), bytes.size());
}

TEST(DecodeText, KnowsEveryUnicodeFormWithAndWithoutMark) {
  for (const std::string& text : {std::string(kChinese), std::string(kEnglish), kEnglish + "😀𠀀"s}) {
    for (const char* encoding : {"UTF-8", "UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE"}) {
      for (const bool mark : {false, true}) {
        const std::string bytes = encode((mark ? "\uFEFF" : "") + text, encoding);
        const DecodedText decoded = decode_text(bytes);
        EXPECT_EQ(decoded.text, text) << encoding << mark;
        EXPECT_EQ(decoded.encoding, encoding) << mark;
        EXPECT_EQ(decoded.replaced, 0u);
        expect_true_map(bytes, decoded);
      }
    }
  }
}

TEST(DecodeText, KnowsGb18030WithItsFourByteCharacters) {
  const std::string text = kChinese + "㐀𠀀é"s;
  const std::string bytes = encode(text, "GB18030");
  const DecodedText decoded = decode_text(bytes);
  EXPECT_EQ(decoded.encoding, "GB18030");
  EXPECT_EQ(decoded.text, text);
  expect_true_map(bytes, decoded);
}

TEST(DecodeText, KnowsOtherEncodingsWhenTheyAreCertain) {
  const std::string traditional =
      "深度學習是機器學習的一個分支，它使用多層神經網路來學習資料的表示。這個方法在許多應用中獲得成功。";
  const std::string japanese =
      "深層学習は機械学習の一分野であり、多層のニューラルネットワークを用いてデータの表現を学習する。これは便利です。";
  const std::string korean =
      "딥 러닝은 기계 학습의 한 분야이며, 여러 층의 신경망을 사용하여 데이터의 표현을 학습한다. 이것은 유용하다.";
  for (const auto& [text, encoding] : std::vector<std::pair<std::string, const char*>>{{traditional, "Big5"},
                                                                                       {japanese, "Shift_JIS"},
                                                                                       {japanese, "EUC-JP"},
                                                                                       {korean, "EUC-KR"},
                                                                                       {kEnglish, "windows-1252"}}) {
    const std::string bytes = encode(text, encoding);
    const DecodedText decoded = decode_text(bytes);
    EXPECT_EQ(decoded.encoding, encoding);
    EXPECT_EQ(decoded.text, text) << encoding;
    expect_true_map(bytes, decoded);
  }
}

TEST(DecodeText, Utf8CostsNoMap) {
  EXPECT_TRUE(decode_text(kChinese).offsets.is_shift());
  const DecodedText marked = decode_text("\xEF\xBB\xBF"s + kChinese);
  EXPECT_EQ(marked.text, kChinese);
  EXPECT_EQ(marked.offsets, OffsetMap(3));
  EXPECT_EQ(decode_text("").text, "");
  EXPECT_EQ(decode_text("\xEF\xBB\xBF").text, "");
}

TEST(DecodeText, InvalidBytesAreNamedByTheirPlaceInTheFile) {
  std::string damaged = kChinese;
  damaged[30] = '\xFF';
  EXPECT_NE(message_of([&] { decode_text(damaged); }).find("byte 30 is not valid UTF-8"), std::string::npos);
  EXPECT_NE(message_of([&] { decode_text("\xEF\xBB\xBF"s + damaged); }).find("byte 33 "), std::string::npos);
  std::string lone = encode("\uFEFF" + std::string(kChinese), "UTF-16LE");
  lone[11] = '\xDC';
  EXPECT_NE(message_of([&] { decode_text(lone); }).find("byte 10 is not valid UTF-16LE"), std::string::npos);
  EXPECT_NE(message_of([&] { decode_text("\xFF\xFE"s + "a\0b"s); }).find("byte 4 "), std::string::npos);
  std::string gb = encode(kChinese, "GB18030");
  const std::size_t bad = gb.find('H');
  gb[bad] = '\xFF';
  DecodeOptions options;
  options.encoding = "GB18030";
  EXPECT_NE(message_of([&] { decode_text(gb, options); }).find("byte " + std::to_string(bad) + " "), std::string::npos);
}

TEST(DecodeText, ReplacesOnRequestAndKeepsTheMapTrue) {
  DecodeOptions options;
  options.invalid_bytes = InvalidBytes::replace;
  std::string damaged = kChinese;
  damaged[30] = '\xFF';
  const DecodedText decoded = decode_text(damaged, options);
  EXPECT_TRUE(utf8::is_valid(decoded.text));
  EXPECT_GE(decoded.replaced, 1u);
  EXPECT_EQ(decoded.offsets.to_file(decoded.text.find("Hello")), damaged.find("Hello"));
  EXPECT_EQ(decoded.offsets.to_file(decoded.text.size()), damaged.size());

  options.encoding = "UTF-16LE";
  const std::string odd = encode("ab", "UTF-16LE") + "\x01\xD8" + encode("c", "UTF-16LE") + "x";
  const DecodedText utf16 = decode_text(odd, options);
  EXPECT_EQ(utf16.text, "ab\uFFFDc\uFFFD");
  EXPECT_EQ(utf16.replaced, 2u);
  EXPECT_EQ(utf16.offsets.to_file(utf16.text.find('c')), 6u);
}

TEST(DecodeText, BinaryContentIsRefused) {
  EXPECT_NE(message_of([&] { decode_text("abc\0def"s); }).find("byte 3 is NUL"), std::string::npos);
  std::mt19937 random(1);
  std::string noise;
  for (int i = 0; i < 4096; ++i) noise.push_back(static_cast<char>(random()));
  EXPECT_NE(message_of([&] { decode_text(noise); }), "no error");
  const std::string elf = "\x7F\x45LF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0\x01\0\0\0"s;
  EXPECT_NE(message_of([&] { decode_text(elf); }), "no error");
}

TEST(DecodeText, ANamedEncodingIsTaken) {
  DecodeOptions options;
  options.encoding = "gb18030";
  EXPECT_EQ(decode_text("\xD6\xD0", options).text, "中");
  options.encoding = "utf16";
  EXPECT_EQ(decode_text("\x4E\x2D"s, options).text, "中");
  EXPECT_EQ(decode_text("\xFF\xFE\x2D\x4E"s, options).text, "中");
  options.encoding = "ISO-8859-1";
  EXPECT_EQ(decode_text("caf\xE9", options).text, "café");
  for (const char* name : {"no-such-encoding", "UTF-7", "ISO-2022-JP"}) {
    options.encoding = name;
    try {
      decode_text("abc", options);
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.errc(), Errc::invalid_argument);
    }
  }
}

TEST(DecodeText, OneCharacterThatIsTwoCodePointsKeepsTheMapMonotone) {
  DecodeOptions options;
  options.encoding = "ibm-16684_P110-2003";
  const DecodedText decoded = decode_text("\xEC\xB5\xEC\xB5", options);
  EXPECT_EQ(decoded.text, "\u304B\u309A\u304B\u309A");
  EXPECT_EQ(decoded.offsets.to_file(std::uint64_t{6}), 2u);
  EXPECT_EQ(decoded.offsets.to_file(decoded.text.size()), 4u);
}

TEST(DecodeText, RandomBytesInAnyEncodingNeverCrash) {
  std::mt19937 random(9);
  for (std::size_t round = 0; round < test::rounds(3000); ++round) {
    DecodeOptions options;
    options.encoding = std::vector<std::string>{"",     "UTF-8",     "UTF-16LE", "UTF-32BE",    "GB18030",
                                                "Big5", "Shift_JIS", "EUC-KR",   "windows-1252"}[random() % 9];
    options.invalid_bytes = random() % 2 ? InvalidBytes::replace : InvalidBytes::refuse;
    std::string bytes = encode(kChinese, random() % 2 ? "GB18030" : "UTF-16LE").substr(0, random() % 200);
    for (std::size_t n = random() % 6; n > 0 && !bytes.empty(); --n)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    try {
      const DecodedText decoded = decode_text(bytes, options);
      ASSERT_TRUE(utf8::is_valid(decoded.text));
      std::uint64_t last = 0;
      for (std::size_t at = 0; at <= decoded.text.size(); ++at) {
        ASSERT_GE(decoded.offsets.to_file(at), last);
        last = decoded.offsets.to_file(at);
      }
      ASSERT_EQ(last, bytes.size());
    } catch (const Error& error) {
      ASSERT_EQ(error.errc(), Errc::parse_error);
    }
  }
}

}  // namespace
}  // namespace ragstone
