#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace ragstone::bench {

/// Texts to be ingested, any number of them: real ones (see the top of texts.cpp) from the folder that RAGSTONE_DATA
/// names, each with "copy" and its number in a first line of its own; generated ones where that folder is not there.
class Texts {
 public:
  Texts();

  /// False: generated.
  bool real() const noexcept { return real_; }

  /// One of about 1.5 KB, English or Chinese.
  std::string small(std::size_t number) const;
  /// One of 100 to 150 KB.
  std::string large(std::size_t number) const;

  /// Questions that few texts answer.
  const std::vector<std::string>& questions() const noexcept { return questions_; }

 private:
  void load_real();
  void generate();

  bool real_ = false;
  std::vector<std::string> small_;
  std::vector<std::string> large_;
  std::vector<std::string> questions_;
};

}  // namespace ragstone::bench
