#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace ragstone::detail {

/// A regular expression for whole replies, in RE2's syntax; matched in linear time.
class PatternCheck {
 public:
  /// Errors: Errc::invalid_argument for what is no such expression.
  explicit PatternCheck(const std::string& pattern);
  ~PatternCheck();

  /// Errors: Errc::rejected for a reply that does not match.
  void check(std::string_view reply) const;

 private:
  std::unique_ptr<re2::RE2> pattern_;
};

}  // namespace ragstone::detail
