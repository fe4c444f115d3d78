#include <ragstone/base/utf8.hpp>
#include <ragstone/text/token_counter.hpp>

#include <algorithm>
#include <array>
#include <cstdint>

// The text is a sequence of runs of equal class, and each run has a weight. A cut between code points must never make
// the sum smaller:
// - where a run ends is decided by neighbouring characters alone, so that a cut only adds an end;
// - a run's weight f(n) by its length has f(a + b) <= f(a) + f(b);
// - where a neighbour makes a run cheaper (a space goes with the word after it), a cut that takes the neighbour away
//   makes it dearer.
// Rounding up keeps this. The weights were fitted to cl100k_base on books, abstracts and encyclopaedia articles in
// English and Chinese.

namespace ragstone {
namespace {

constexpr std::uint64_t kUnit = 100;  // weights are hundredths of a token

enum class Kind : std::uint8_t { none, lower, upper, digit, line_end, space, punctuation, other };

constexpr std::array<Kind, 256> make_kinds() {
  std::array<Kind, 256> kinds{};
  kinds.fill(Kind::other);
  for (std::size_t c = 0; c < 0x80; ++c) {
    if (c >= 'a' && c <= 'z')
      kinds[c] = Kind::lower;
    else if (c >= 'A' && c <= 'Z')
      kinds[c] = Kind::upper;
    else if (c >= '0' && c <= '9')
      kinds[c] = Kind::digit;
    else if (c == '\n' || c == '\r')
      kinds[c] = Kind::line_end;
    else
      kinds[c] = c == ' ' || c == '\t' || c == '\v' || c == '\f' ? Kind::space : Kind::punctuation;
  }
  return kinds;
}

constexpr std::array<Kind, 256> kKinds = make_kinds();

bool is_letter(Kind kind) noexcept { return kind == Kind::lower || kind == Kind::upper; }

// Between 1 and 2 tokens up to 20 letters, then a tenth a letter.
std::uint64_t weight_of_letters(std::uint64_t n) noexcept {
  if (n >= 20) return 10 * n;
  return n <= 8 ? 98 + 2 * n : std::min<std::uint64_t>(200, 42 + 9 * n);
}

std::uint64_t weight_of_punctuation(std::uint64_t n) noexcept {
  constexpr std::array<std::uint64_t, 5> kShort{0, 100, 104, 160, 200};
  return n < kShort.size() ? kShort[n] : n * (kUnit / 2);
}

std::uint64_t weight_beyond_ascii(char32_t c) noexcept {
  if (c == utf8::kInvalid) return 100;
  if (c < 0x250) return 90;                                     // Latin
  if (c >= 0x400 && c < 0x530) return 50;                       // Cyrillic
  if (c < 0x800) return 95;                                     // Greek, Hebrew, Arabic and others
  if (c >= 0x3000 && c < 0x3100) return 100;                    // punctuation, kana
  if (c >= 0x4E00 && c < 0xA000) return 130;                    // ideographs
  if (c >= 0xFF00 && c < 0xFF66) return 100;                    // full-width forms
  if ((c >= 0x3400 && c < 0x4E00) || c >= 0x10000) return 250;  // rare ideographs, emoji
  return 120;                                                   // Hangul, Indic, symbols
}

class Estimator {
 public:
  explicit Estimator(std::string_view text) : text_(text) {}

  std::size_t count() {
    while (at_ < text_.size()) {
      const Kind kind = kind_at(at_);
      weight_ += kind == Kind::other ? take_other() : take_run(kind);
      before_ = kind;
    }
    return static_cast<std::size_t>((weight_ + kUnit - 1) / kUnit);
  }

 private:
  Kind kind_at(std::size_t at) const noexcept {
    return at < text_.size() ? kKinds[static_cast<unsigned char>(text_[at])] : Kind::none;
  }

  std::uint64_t take_other() noexcept {
    const utf8::Decoded decoded = utf8::decode(text_, at_);
    at_ += decoded.size;
    return weight_beyond_ascii(decoded.code_point);
  }

  std::uint64_t take_run(Kind kind) noexcept {
    const std::size_t begin = at_++;
    for (Kind last = kind; at_ < text_.size(); ++at_) {
      const Kind next = kind_at(at_);
      // "camelCase" is two words, "Case" and "HTTPServer" are one.
      const bool same =
          is_letter(kind) ? is_letter(next) && !(last == Kind::lower && next == Kind::upper) : next == kind;
      if (!same) break;
      last = next;
    }
    return weight_of_run(kind, begin, at_ - begin);
  }

  std::uint64_t weight_of_run(Kind kind, std::size_t begin, std::uint64_t n) const noexcept {
    const Kind after = kind_at(at_);
    switch (kind) {
      case Kind::lower:
      case Kind::upper:
        return weight_of_letters(n);
      case Kind::digit:
        return (n + 2) / 3 * kUnit;
      case Kind::line_end:
        return before_ == Kind::punctuation || before_ == Kind::other ? 0 : kUnit;
      case Kind::space:
        return n == 1 && (is_letter(after) || after == Kind::punctuation || after == Kind::other) ? 0 : kUnit;
      default:
        break;
    }
    const bool apostrophe = n == 1 && text_[begin] == '\'' && is_letter(before_) && is_letter(after);
    return apostrophe ? 0 : weight_of_punctuation(n);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::uint64_t weight_ = 0;
  Kind before_ = Kind::none;
};

class EstimatedTokenCounter final : public TokenCounter {
 public:
  EstimatedTokenCounter() : TokenCounter("estimated/1", true) {}

 private:
  std::size_t do_count(std::string_view text) const override { return Estimator(text).count(); }
};

}  // namespace

std::shared_ptr<const TokenCounter> estimated_token_counter() {
  static const auto counter = std::make_shared<const EstimatedTokenCounter>();
  return counter;
}

}  // namespace ragstone
