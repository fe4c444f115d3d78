#pragma once

#include <random>
#include <string>

namespace ragstone::test {

/// Valid UTF-8 of all kinds that division depends on: scripts mixed, long runs without spaces, emoji, marks, code, odd
/// line ends.
inline std::string random_text(std::mt19937& random, std::size_t pieces) {
  static const std::string kPieces[] = {"The model computes a score. ",
                                        "Dr. Smith, e.g., paid $3.14; ok? ",
                                        "注意力机制很有用。",
                                        "首先，其次；最后：",
                                        "“真的吗？”他问！",
                                        "こんにちは。カタカナ",
                                        "สวัสดีชาวโลก",
                                        "مرحبا بالعالم، كيف الحال؟ ",
                                        "👩‍👩‍👧‍👦",
                                        "🇨🇳🇫🇷",
                                        "e\u0301",
                                        "\u0301",
                                        "\u200D",
                                        "한국어 문장입니다. ",
                                        "\n",
                                        "\n\n",
                                        "\r\n",
                                        "\r",
                                        " ",
                                        "    ",
                                        "\t",
                                        "\u3000",
                                        "\u2028",
                                        "\u0085",
                                        "\n# Heading\n",
                                        "\n## 标题\n\n",
                                        "\n```cpp\n",
                                        "\n~~~~\n",
                                        "\n```\n",
                                        "def f(x):\n    return x\n",
                                        "((((((((",
                                        "[[](",
                                        "....",
                                        "!!!",
                                        ",,,",
                                        "。。。",
                                        "<div>",
                                        "aGVsbG8gd29ybGQhISE",
                                        "\U0010FFFF",
                                        "\uFEFF"};
  std::string text;
  for (std::size_t i = 0; i < pieces; ++i) {
    const std::string& piece = kPieces[random() % std::size(kPieces)];
    const std::size_t repeats = random() % 20 == 0 ? random() % 200 : 1;
    for (std::size_t n = 0; n < repeats; ++n) text += piece;
  }
  return text;
}

}  // namespace ragstone::test
