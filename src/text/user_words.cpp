#include "text/user_words.hpp"

#include "text/normal_boundary.hpp"
#include "text/run_scanner.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/base/utf8.hpp>
#include <ragstone/text/normalize.hpp>

#include <algorithm>
#include <cstddef>

namespace ragstone::detail {
namespace {

// No byte of UTF-8: what is invalid is part of no word.
constexpr char kInvalidByte = '\xFF';

bool is_ascii(char c) noexcept { return static_cast<unsigned char>(c) < 0x80; }

/// Characters of a text that normalise together.
struct Unit {
  std::size_t text_begin = 0;
  std::size_t normal_begin = 0;
  bool in_spaced_word = false;
};

/// The units of a text, and its normal form.
struct Units {
  std::vector<Unit> all;  ///< With one more, for the end.
  std::string normal;

  explicit Units(std::string_view text) {
    normal.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t begin = at;
      const utf8::Decoded first = utf8::decode(text, at);
      all.push_back({begin, normal.size(), is_spaced(first.code_point)});
      at += first.size;
      if (first.code_point == utf8::kInvalid) {
        normal.push_back(kInvalidByte);
        continue;
      }
      while (at < text.size() && !is_ascii(text[at])) {
        const utf8::Decoded next = utf8::decode(text, at);
        if (next.code_point == utf8::kInvalid || has_normal_boundary_before(next.code_point)) break;
        at += next.size;
      }
      append_normalized(normal, text.substr(begin, at - begin));
    }
    all.push_back({text.size(), normal.size(), false});
  }

 private:
  bool is_spaced(char32_t c) const {
    if (c == utf8::kInvalid) return false;
    switch (class_of(c)) {
      case CharClass::word:
        return true;
      case CharClass::mark:
        return !all.empty() && all.back().in_spaced_word;
      default:
        return false;
    }
  }
};

std::string_view trimmed(std::string_view word) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = word.find_first_not_of(kSpace);
  if (begin == word.npos) return {};
  return word.substr(begin, word.find_last_not_of(kSpace) + 1 - begin);
}

}  // namespace

UserWords::UserWords(const std::vector<std::string>& words) : steps_(1) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string normal = normalize(words[i]);
    const std::string_view word = trimmed(normal);
    if (word.size() > kMaxWordBytes)
      throw Error(Errc::invalid_argument, "word_analyzer: user word " + std::to_string(i + 1) + " has " +
                                              std::to_string(word.size()) + " bytes in its normal form, and at most " +
                                              std::to_string(kMaxWordBytes) + " are allowed; shorten it");
    if (!word.empty()) words_.emplace_back(word);
  }
  std::sort(words_.begin(), words_.end());
  words_.erase(std::unique(words_.begin(), words_.end()), words_.end());
  for (std::size_t i = 0; i < words_.size(); ++i) {
    std::uint32_t at = 0;
    for (const char byte : words_[i]) {
      // Words ascend, so a new byte is the last of its step.
      auto& next = steps_[at].next;
      if (next.empty() || next.back().first != byte) {
        next.emplace_back(byte, static_cast<std::uint32_t>(steps_.size()));
        at = next.back().second;
        steps_.emplace_back();
      } else {
        at = next.back().second;
      }
    }
    steps_[at].word = static_cast<std::uint32_t>(i + 1);
  }
}

std::uint32_t UserWords::step(std::uint32_t from, char byte) const {
  const auto& next = steps_[from].next;
  const auto found = std::lower_bound(next.begin(), next.end(), byte, [](const auto& entry, char value) {
    return static_cast<unsigned char>(entry.first) < static_cast<unsigned char>(value);
  });
  return found != next.end() && found->first == byte ? found->second : 0;
}

std::vector<UserWords::Match> UserWords::find(std::string_view text) const {
  std::vector<Match> matches;
  if (words_.empty()) return matches;
  const Units units(text);
  const std::size_t count = units.all.size() - 1;
  const auto is_within_word = [&](std::size_t unit) {
    return unit > 0 && units.all[unit - 1].in_spaced_word && units.all[unit].in_spaced_word;
  };
  for (std::size_t begin = 0; begin < count;) {
    std::size_t end = begin;
    std::uint32_t longest = 0;
    std::uint32_t at = 0;
    for (std::size_t unit = begin; unit < count && !is_within_word(begin); ++unit) {
      const std::string_view bytes =
          std::string_view(units.normal)
              .substr(units.all[unit].normal_begin, units.all[unit + 1].normal_begin - units.all[unit].normal_begin);
      // What normalises to nothing may be within a word, and does not begin one.
      if (bytes.empty() && unit == begin) break;
      for (const char byte : bytes)
        if (at = step(at, byte); at == 0) break;
      if (at == 0) break;
      if (steps_[at].word == 0 || is_within_word(unit + 1)) continue;
      longest = steps_[at].word;
      end = unit + 1;
    }
    if (longest == 0) {
      ++begin;
      continue;
    }
    matches.push_back({{units.all[begin].text_begin, units.all[end].text_begin}, words_[longest - 1]});
    begin = end;
  }
  return matches;
}

}  // namespace ragstone::detail
