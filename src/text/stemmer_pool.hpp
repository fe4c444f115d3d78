#pragma once

#include <ragstone/text/analyzer.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

struct sb_stemmer;

namespace ragstone::detail {

/// One Snowball stemmer with a cache of recent words. Not thread-safe.
class WordStemmer {
 public:
  explicit WordStemmer(Stemmer algorithm);
  ~WordStemmer();
  WordStemmer(const WordStemmer&) = delete;
  WordStemmer& operator=(const WordStemmer&) = delete;

  /// The stem of a lower-case ASCII word; valid until the next call.
  std::string_view stem(std::string_view word);

 private:
  static constexpr std::size_t kSlots = 8192;
  static constexpr std::size_t kMaxCachedWord = 24;

  using Letters = std::array<std::uint64_t, kMaxCachedWord / 8>;  ///< Eight letters each, then zeros.

  struct Slot {
    Letters word{};
    std::array<char, kMaxCachedWord> stem;
    std::uint8_t stem_size = 0;
  };

  std::string_view run(std::string_view word);
  std::string_view snowball(std::string_view word);

  bool porter_;
  std::string late_;
  sb_stemmer* stemmer_;
  std::vector<Slot> cache_;
};

/// Lends stemmers to threads, because Snowball's are not thread-safe and costly to make for a short text.
class StemmerPool {
 public:
  explicit StemmerPool(Stemmer algorithm) : algorithm_(algorithm) {}

  std::unique_ptr<WordStemmer> take();
  void give_back(std::unique_ptr<WordStemmer> stemmer);

 private:
  Stemmer algorithm_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<WordStemmer>> idle_;
};

}  // namespace ragstone::detail
