#pragma once

#include <string>
#include <string_view>

namespace ragstone::detail {

/// Takes the <think>...</think> with which a reply's text begins out of it, as it comes in any pieces. No I/O.
class ThinkBlock {
 public:
  /// What of the pieces so far is text and was not returned before; valid until the next call. What the model thought
  /// is added to `reasoning`. A reply that has reasoning before its text has no block.
  std::string_view read(std::string_view piece, std::string& reasoning);

  /// After the last piece: the text that was held back. A block that has no end although the reply was not cut off is
  /// text.
  std::string_view finish(bool cut_off, std::string& reasoning);

 private:
  enum class Place { before, inside, behind, text };

  std::string_view hold(std::string& reasoning);
  std::string_view begin_text(std::string text);

  Place place_ = Place::before;
  std::string held_;
  std::string text_;  // what was returned
};

}  // namespace ragstone::detail
