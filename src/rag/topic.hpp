#pragma once

#include <string_view>

namespace ragstone {

/// What a question wants to know of its subject: what it is, or how it works ("What is X?", "X 是什么", "How does X
/// work?", "解释 X"). Other questions ask for a fact.
bool asks_for_explanation(std::string_view question);

/// The part of a sentence that says what it is about: up to the verb that tells what that is or does ("is", "means",
/// "refers to", "是", "指", ...), or up to its fourth word (eight characters of a script without spaces) if there is no
/// such verb further on. Without emphasis and articles before it.
class Topic {
 public:
  explicit Topic(std::string_view sentence);

  std::string_view text() const noexcept { return text_; }
  /// A verb of definition follows.
  bool is_defined() const noexcept { return is_defined_; }

 private:
  std::string_view text_;
  bool is_defined_ = false;
};

/// A sentence about the text that it is in, and not about its subject: "In this section we ...", "让我们看看……".
bool is_announcement(std::string_view sentence);

}  // namespace ragstone
