#include "model/hashing_features.hpp"

#include "text/run_scanner.hpp"
#include <ragstone/text/function_words.hpp>
#include <ragstone/text/utf8.hpp>

#define XXH_INLINE_ALL
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <xxhash.h>

namespace ragstone {
namespace {

/// Sums are whole numbers: no order of additions, fused multiplication or vector unit can change a bit of them.
using Sum = std::int64_t;
__extension__ using WideSum = unsigned __int128;

/// Features of one kind. The kind is the seed: a word and an n-gram of equal spelling are different features.
class Features {
 public:
  Features(XXH64_hash_t seed, Sum weight) : seed_(seed), weight_(weight) {}

  bool empty() const noexcept { return hashes_.empty(); }
  void add(std::string_view spelling) { hashes_.push_back(XXH64(spelling.data(), spelling.size(), seed_)); }

  /// Adds each feature to its place among the sums, with its sign, damped by the square root of its count.
  void add_to(std::span<Sum> sums) {
    std::sort(hashes_.begin(), hashes_.end());
    for (std::size_t i = 0; i < hashes_.size();) {
      const std::uint64_t hash = hashes_[i];
      const std::size_t begin = i;
      while (i < hashes_.size() && hashes_[i] == hash) ++i;
      // IEEE 754 rounds a square root exactly; 2^16 under it keeps eight bits of the fraction.
      const Sum root = static_cast<Sum>(std::sqrt(static_cast<double>(i - begin) * 65536.0));
      const std::size_t place = static_cast<std::size_t>(((hash & 0xFFFFFFFFu) * sums.size()) >> 32);
      sums[place] += (hash >> 63) != 0 ? root * weight_ : -root * weight_;
    }
  }

 private:
  XXH64_hash_t seed_;
  Sum weight_;
  std::vector<XXH64_hash_t> hashes_;
};

/// Takes a text apart: words into themselves and their n-grams, runs of scripts that put no spaces between words (and
/// of Korean, whose particles stick to the words) into characters, pairs and trigrams. Trigrams count half: each stands
/// for a rarer thing, but three characters of most texts are no word of theirs (measured on the Chinese collections of
/// benchmarks/quality.cpp). Function words and characters are left out unless there is nothing else: every text has
/// them, whatever it is about.
class Extractor {
 public:
  Extractor(const HashingEmbedderOptions& options, const StopToken& stop) : options_(options), stop_(stop) {}

  void read(std::string_view text) {
    read_all(text);
    if (!words_.empty() || !characters_.empty() || !bigrams_.empty()) return;
    with_function_words_ = true;
    read_all(text);
  }

  void add_to(std::span<Sum> sums) {
    for (Features* features : {&words_, &ngrams_, &characters_, &bigrams_, &trigrams_}) {
      throw_if_stopped(stop_);
      features->add_to(sums);
    }
  }

 private:
  void read_all(std::string_view text) {
    detail::RunScanner scanner(text, true);
    std::size_t runs = 0;
    for (detail::Run run = scanner.next(); run.kind != detail::RunKind::none; run = scanner.next()) {
      if (++runs % 1024 == 0) throw_if_stopped(stop_);
      read_run(run.span.of(text), run.kind);
    }
  }

  bool is_left_out(std::string_view form) const noexcept { return !with_function_words_ && is_function_word(form); }

  void read_run(std::string_view run, detail::RunKind kind) {
    starts_.clear();
    for (const utf8::CodePoint c : utf8::CodePoints(run)) starts_.push_back(c.begin);
    starts_.push_back(run.size());
    if (kind == detail::RunKind::word) {
      if (is_left_out(run)) return;
      words_.add(run);
      add_marked(run);
    } else {
      for (std::size_t i = 0; i + 1 < starts_.size(); ++i)
        if (const auto c = run.substr(starts_[i], starts_[i + 1] - starts_[i]); !is_left_out(c)) characters_.add(c);
      add_ngrams(bigrams_, run, starts_, 2, 2);
      add_ngrams(trigrams_, run, starts_, 3, 3);
    }
  }

  /// The n-grams of "<word>": the marks tell the ends of a word from its middle.
  void add_marked(std::string_view word) {
    if (options_.max_ngram == 0) return;
    marked_.assign(1, '<').append(word).append(1, '>');
    for (std::size_t& start : starts_) ++start;
    starts_.insert(starts_.begin(), 0);
    starts_.push_back(marked_.size());
    add_ngrams(ngrams_, marked_, starts_, options_.min_ngram, options_.max_ngram);
  }

  static void add_ngrams(Features& features, std::string_view text, const std::vector<std::size_t>& starts,
                         std::size_t min, std::size_t max) {
    const std::size_t characters = starts.size() - 1;
    for (std::size_t i = 0; i < characters; ++i)
      for (std::size_t n = min; n <= max && i + n <= characters; ++n)
        features.add(text.substr(starts[i], starts[i + n] - starts[i]));
  }

  const HashingEmbedderOptions& options_;
  const StopToken& stop_;
  bool with_function_words_ = false;
  Features words_{1, 2};
  Features ngrams_{2, 2};
  Features characters_{3, 2};
  Features bigrams_{4, 2};
  Features trigrams_{5, 1};
  std::vector<std::size_t> starts_;
  std::string marked_;
};

}  // namespace

void hash_features(std::string_view folded, const HashingEmbedderOptions& options, std::span<float> vector,
                   const StopToken& stop) {
  std::vector<Sum> sums(vector.size());
  Extractor extractor(options, stop);
  extractor.read(folded);
  extractor.add_to(sums);

  WideSum squares = 0;
  for (const Sum sum : sums) squares += static_cast<WideSum>(static_cast<WideSum>(sum) * static_cast<WideSum>(sum));
  // Conversions, square root and division are exactly rounded too.
  const double length = std::sqrt(static_cast<double>(squares));
  for (std::size_t i = 0; i < sums.size(); ++i)
    vector[i] = squares == 0 ? 0.0f : static_cast<float>(static_cast<double>(sums[i]) / length);
}

}  // namespace ragstone
