#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace ragstone {

/// Counts the tokens of a language model's vocabulary. Thread safety: any number of concurrent calls.
class TokenCounter {
 public:
  virtual ~TokenCounter() = default;

  /// Linear in the text. The empty text has 0 tokens.
  std::size_t count(std::string_view text) const { return do_count(text); }

  /// "name/version/parameters".
  const std::string& signature() const noexcept { return signature_; }

  /// True if count(a + b) <= count(a) + count(b) for every cut between code points, so that pieces which fit a limit in
  /// sum also fit it put together. A byte-pair vocabulary does not promise this.
  bool is_subadditive() const noexcept { return subadditive_; }

 protected:
  TokenCounter(std::string signature, bool subadditive) : signature_(std::move(signature)), subadditive_(subadditive) {}

 private:
  virtual std::size_t do_count(std::string_view text) const = 0;

  std::string signature_;
  bool subadditive_;
};

/// An estimate without a vocabulary, for the byte-pair vocabularies of today's models (fitted to cl100k_base): by
/// the lengths of runs of letters, digits, punctuation and white space, and a weight per character of other
/// scripts. Subadditive.
std::shared_ptr<const TokenCounter> estimated_token_counter();

}  // namespace ragstone
