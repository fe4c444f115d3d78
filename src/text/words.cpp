#include "text/run_scanner.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/base/utf8.hpp>
#include <ragstone/text/segment.hpp>

#include <algorithm>
#include <memory>
#include <string>

#include <unicode/ubrk.h>

namespace ragstone {
namespace {

// ICU's dictionary lookup needs memory for all of a run, so that a longer one is divided blindly.
constexpr std::size_t kMaxRunUnits = 4096;

struct BreakDeleter {
  void operator()(UBreakIterator* breaks) const noexcept { ubrk_close(breaks); }
};

// Divides runs of scripts without spaces. ICU's iterator is made when the first such run comes.
class DictionaryDivider {
 public:
  void divide(std::string_view text, Span run, std::vector<Span>& out) {
    if (!breaks_) open();
    for (std::size_t at = run.begin; at < run.end;) at = divide_piece(text, at, run.end, out);
  }

 private:
  void open() {
    UErrorCode status = U_ZERO_ERROR;
    breaks_.reset(ubrk_open(UBRK_WORD, "", nullptr, 0, &status));
    if (U_FAILURE(status)) throw Error(Errc::internal, "words: ICU has no word rules; install ICU's data");
  }

  std::size_t divide_piece(std::string_view text, std::size_t begin, std::size_t end, std::vector<Span>& out) {
    units_.clear();
    offsets_.clear();
    std::size_t at = begin;
    while (at < end && units_.size() < kMaxRunUnits) {
      const utf8::Decoded decoded = utf8::decode(text, at);
      offsets_.push_back(at);
      if (decoded.code_point < 0x10000) {
        units_.push_back(static_cast<char16_t>(decoded.code_point));
      } else {
        units_.push_back(static_cast<char16_t>(0xD7C0 + (decoded.code_point >> 10)));
        units_.push_back(static_cast<char16_t>(0xDC00 + (decoded.code_point & 0x3FF)));
        offsets_.push_back(at);
      }
      at += decoded.size;
    }
    offsets_.push_back(at);
    UErrorCode status = U_ZERO_ERROR;
    ubrk_setText(breaks_.get(), units_.data(), static_cast<std::int32_t>(units_.size()), &status);
    if (U_FAILURE(status)) throw Error(Errc::internal, "words: ICU cannot read the text");
    std::int32_t from = ubrk_first(breaks_.get());
    for (std::int32_t to = ubrk_next(breaks_.get()); to != UBRK_DONE; to = ubrk_next(breaks_.get())) {
      out.push_back({offsets_[static_cast<std::size_t>(from)], offsets_[static_cast<std::size_t>(to)]});
      from = to;
    }
    return at;
  }

  std::unique_ptr<UBreakIterator, BreakDeleter> breaks_;
  std::u16string units_;
  std::vector<std::size_t> offsets_;
};

}  // namespace

std::vector<Span> words(std::string_view text) {
  std::vector<Span> result;
  DictionaryDivider divider;
  detail::RunScanner scanner(text, true);
  for (detail::Run run = scanner.next(); run.kind != detail::RunKind::none; run = scanner.next()) {
    if (run.kind == detail::RunKind::word)
      result.push_back(run.span);
    else
      divider.divide(text, run.span, result);
  }
  return result;
}

}  // namespace ragstone
