#include "text/stemmer_pool.hpp"

#include "text/term_key.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>

#include <libstemmer.h>

namespace ragstone::detail {
namespace {

constexpr std::size_t kMaxIdle = 64;

bool is_vowel(std::string_view word, std::size_t at) noexcept {
  constexpr std::string_view kVowels = "aeiou";
  if (kVowels.find(word[at]) != std::string_view::npos) return true;
  return word[at] == 'y' && at > 0 && !is_vowel(word.substr(0, at), at - 1);
}

// Porter's m > 0: a consonant follows a vowel.
bool has_syllable(std::string_view word) noexcept {
  for (std::size_t at = 1; at < word.size(); ++at) {
    if (is_vowel(word, at - 1) && !is_vowel(word, at)) return true;
  }
  return false;
}

// Whether some rule of Porter's may change a word of that ending; most English words have none of them.
bool may_have_suffix(std::string_view word) noexcept {
  const char before = word[word.size() - 2];
  switch (word.back()) {
    case 'e':
    case 'i':
    case 's':
    case 'y':
      return true;
    case 'c':  // -ic
      return before == 'i';
    case 'd':  // -ed
      return before == 'e';
    case 'g':  // -ing
    case 't':  // -ant, -ent
      return before == 'n';
    case 'l':  // -al, -ful, -ll
      return before == 'a' || before == 'u' || before == 'l';
    case 'm':  // -ism
      return before == 's';
    case 'n':  // -ion
    case 'u':  // -ou
      return before == 'o';
    case 'r':  // -er, -ator
      return before == 'e' || before == 'o';
    default:
      return false;
  }
}

}  // namespace

WordStemmer::WordStemmer(Stemmer algorithm)
    : porter_(algorithm == Stemmer::porter),
      stemmer_(sb_stemmer_new(algorithm == Stemmer::porter ? "porter" : "english", "UTF_8")),
      cache_(kSlots) {
  if (!stemmer_) throw Error(Errc::internal, "stemmer: libstemmer lacks the English algorithms");
}

WordStemmer::~WordStemmer() { sb_stemmer_delete(stemmer_); }

std::string_view WordStemmer::stem(std::string_view word) {
  // Porter's own program leaves words of one or two letters alone, which Snowball's version of it does not.
  if (porter_ && (word.size() <= 2 || !may_have_suffix(word))) return word;
  if (word.size() > kMaxCachedWord) return run(word);
  Letters letters{term_prefix(word)};
  std::uint64_t hash = mix(letters[0]);
  for (std::size_t part = 1; part * 8 < word.size(); ++part) {
    letters[part] = term_prefix(word.substr(part * 8));
    hash = mix(hash ^ letters[part]);
  }
  Slot& slot = cache_[hash % kSlots];
  if (((slot.word[0] ^ letters[0]) | (slot.word[1] ^ letters[1]) | (slot.word[2] ^ letters[2])) != 0) {
    const std::string_view stem = run(word);
    if (stem.size() > kMaxCachedWord) return stem;
    slot.word = letters;
    std::copy(stem.begin(), stem.end(), slot.stem.begin());
    slot.stem_size = static_cast<std::uint8_t>(stem.size());
  }
  return {slot.stem.data(), slot.stem_size};
}

std::string_view WordStemmer::run(std::string_view word) {
  const std::string_view stem = snowball(word);
  if (!porter_) return stem;
  // Two rules of step 2 that Porter's own program has and the paper of 1980 has not: -bli becomes -ble, -logi -log. The
  // steps after them are done by stemming once more.
  if (stem.ends_with("bli") && has_syllable(stem.substr(0, stem.size() - 3))) {
    late_.assign(stem.substr(0, stem.size() - 1)).push_back('e');
    return snowball(late_);
  }
  if (stem.ends_with("logi") && has_syllable(stem.substr(0, stem.size() - 4))) {
    late_.assign(stem.substr(0, stem.size() - 1));
    return snowball(late_);
  }
  return stem;
}

std::string_view WordStemmer::snowball(std::string_view word) {
  const sb_symbol* stem =
      sb_stemmer_stem(stemmer_, reinterpret_cast<const sb_symbol*>(word.data()), static_cast<int>(word.size()));
  if (!stem) throw std::bad_alloc();
  return {reinterpret_cast<const char*>(stem), static_cast<std::size_t>(sb_stemmer_length(stemmer_))};
}

std::unique_ptr<WordStemmer> StemmerPool::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto stemmer = std::move(idle_.back());
      idle_.pop_back();
      return stemmer;
    }
  }
  return std::make_unique<WordStemmer>(algorithm_);
}

void StemmerPool::give_back(std::unique_ptr<WordStemmer> stemmer) {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kMaxIdle) idle_.push_back(std::move(stemmer));
}

}  // namespace ragstone::detail
