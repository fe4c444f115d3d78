#include "text/normal_boundary.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/base/utf8.hpp>
#include <ragstone/text/normalize.hpp>

#include <algorithm>

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>

namespace ragstone {
namespace {

// ICU takes 32-bit lengths; pieces also bound its working memory.
constexpr std::size_t kPieceBytes = 1 << 16;
constexpr std::size_t kMaxPieceBytes = 1 << 20;

const icu::Normalizer2& load_nfkc_casefold() {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* normalizer = icu::Normalizer2::getNFKCCasefoldInstance(status);
  if (U_FAILURE(status)) throw Error(Errc::internal, "normalize: ICU has no NFKC_Casefold data; install ICU's data");
  return *normalizer;
}

// Asked for once: ThreadSanitizer does not see how ICU guards its own first use.
const icu::Normalizer2& nfkc_casefold() {
  static const icu::Normalizer2& normalizer = load_nfkc_casefold();
  return normalizer;
}

// The end of a piece of about kPieceBytes that does not interact with what follows; only a run of kMaxPieceBytes of
// combining characters is cut anywhere.
std::size_t piece_end(const icu::Normalizer2& normalizer, std::string_view text, std::size_t begin) {
  if (text.size() - begin <= kPieceBytes) return text.size();
  std::size_t at = begin + kPieceBytes;
  while (at < text.size() && at - begin < kMaxPieceBytes) {
    const utf8::Decoded decoded = utf8::decode(text, at);
    if (decoded.code_point != utf8::kInvalid && normalizer.hasBoundaryBefore(static_cast<UChar32>(decoded.code_point)))
      return at;
    at += decoded.size;
  }
  return at;
}

// ICU would pass invalid bytes through.
std::string with_replacements(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const utf8::Decoded decoded = utf8::decode(text, at);
    utf8::append(out, decoded.code_point);
    at += decoded.size;
  }
  return out;
}

void append_lower_ascii(std::string& out, std::string_view text) {
  const std::size_t before = out.size();
  out.resize(before + text.size());
  std::transform(text.begin(), text.end(), out.begin() + static_cast<std::ptrdiff_t>(before),
                 [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c); });
}

}  // namespace

void append_normalized(std::string& out, std::string_view text) {
  std::size_t at = utf8::ascii_prefix(text);
  if (at == text.size()) return append_lower_ascii(out, text);
  if (!utf8::is_valid(text)) return append_normalized(out, with_replacements(text));
  // The last ASCII character may compose with what follows it.
  at -= at > 0 ? 1 : 0;
  append_lower_ascii(out, text.substr(0, at));
  const icu::Normalizer2& normalizer = nfkc_casefold();
  icu::StringByteSink<std::string> sink(&out);
  while (at < text.size()) {
    const std::size_t end = piece_end(normalizer, text, at);
    UErrorCode status = U_ZERO_ERROR;
    const icu::StringPiece piece(text.data() + at, static_cast<std::int32_t>(end - at));
    normalizer.normalizeUTF8(0, piece, sink, nullptr, status);
    if (U_FAILURE(status)) throw Error(Errc::internal, std::string("normalize: ICU failed: ") + u_errorName(status));
    at = end;
  }
}

bool detail::has_normal_boundary_before(char32_t code_point) {
  // Most of a Chinese text.
  if (code_point >= 0x4E00 && code_point < 0x9FFD) return true;
  return nfkc_casefold().hasBoundaryBefore(static_cast<UChar32>(code_point));
}

std::string normalize(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  append_normalized(out, text);
  return out;
}

}  // namespace ragstone
