// Small texts: the 5,183 abstracts of retrieval/scifact (English) and the 848 paragraphs of retrieval/cmrc2018-dev
// (Chinese), each as often as it is there. Large texts: the documents of chunking-eval and the chapters of
// corpora/d2l-book (English and Chinese), joined, and cut at line ends. Questions: those of both collections.

#include "support/texts.hpp"

#include "support/beir.hpp"
#include "support/data.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <random>

namespace ragstone::bench {
namespace {

constexpr std::size_t kLarge = 128 * 1024;

void add_pieces(const std::string& text, std::vector<std::string>& pieces) {
  for (std::size_t begin = 0; begin + 100'000 <= text.size();) {
    std::size_t end = text.find('\n', std::min(text.size(), begin + kLarge));
    if (end == std::string::npos || end - begin > 150'000) end = std::min(text.size(), begin + kLarge);
    while (end < text.size() && (text[end] & 0xC0) == 0x80) ++end;
    pieces.push_back(text.substr(begin, end - begin));
    begin = end;
  }
}

std::string joined(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.path().extension() == ".md") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::string text;
  for (const auto& file : files) text += test::read_file(file) + "\n\n";
  return text;
}

/// Words that look like English and are distributed like it (Zipf).
class WordMaker {
 public:
  WordMaker() {
    std::vector<double> weights;
    for (int i = 0; i < 30'000; ++i) {
      std::string word;
      for (auto syllables = 1 + random_() % 4; syllables > 0; --syllables) {
        word += "bcdfghklmnprstvw"[random_() % 16];
        word += "aeiou"[random_() % 5];
      }
      words_.push_back(std::move(word));
      weights.push_back(1.0 / (i + 3));
    }
    choice_ = std::discrete_distribution<std::size_t>(weights.begin(), weights.end());
  }

  std::string text(std::size_t bytes) {
    std::string text;
    for (int count = 1; text.size() < bytes; ++count) {
      text += words_[choice_(random_)];
      text += count % 70 == 0 ? ".\n\n" : count % 12 == 0 ? ". " : " ";
    }
    return text;
  }
  std::string rare_words() {
    std::string question;
    for (int i = 0; i < 5; ++i) question += words_[1'000 + random_() % 20'000] + " ";
    return question;
  }

 private:
  std::mt19937 random_{7};
  std::vector<std::string> words_;
  std::discrete_distribution<std::size_t> choice_;
};

std::string salted(const std::vector<std::string>& texts, std::size_t number) {
  return "copy" + std::to_string(number) + "\n\n" + texts[number % texts.size()];
}

}  // namespace

Texts::Texts() {
  const bool there = test::find_data("retrieval/scifact") && test::find_data("retrieval/cmrc2018-dev") &&
                     test::find_data("chunking-eval") && test::find_data("corpora/d2l-book");
  if (there) {
    load_real();
  } else {
    generate();
  }
}

void Texts::load_real() {
  real_ = true;
  for (const char* name : {"retrieval/scifact", "retrieval/cmrc2018-dev"}) {
    const auto collection = test::load_beir(*test::find_data(name));
    for (const auto& text : collection.corpus) small_.push_back(text.text);
    for (std::size_t i = 0; i < collection.queries.size() && i < 300; ++i)
      questions_.push_back(collection.queries[i].text);
  }
  std::mt19937 random(7);
  std::shuffle(small_.begin(), small_.end(), random);
  std::shuffle(questions_.begin(), questions_.end(), random);
  add_pieces(joined(*test::find_data("chunking-eval")), large_);
  for (const char* language : {"corpora/d2l-book/en", "corpora/d2l-book/zh"})
    add_pieces(joined(*test::find_data(language)), large_);
}

void Texts::generate() {
  WordMaker maker;
  for (int i = 0; i < 3000; ++i) small_.push_back(maker.text(1'400));
  for (int i = 0; i < 40; ++i) large_.push_back(maker.text(kLarge));
  for (int i = 0; i < 300; ++i) questions_.push_back(maker.rare_words());
}

std::string Texts::small(std::size_t number) const { return salted(small_, number); }
std::string Texts::large(std::size_t number) const { return salted(large_, number); }

}  // namespace ragstone::bench
