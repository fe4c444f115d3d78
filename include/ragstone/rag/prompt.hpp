#pragma once

#include <ragstone/base/ids.hpp>
#include <ragstone/model/chat_model.hpp>
#include <ragstone/rag/hit.hpp>
#include <ragstone/rag/prompt_template.hpp>
#include <ragstone/text/token_counter.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace ragstone {

/// What a model is told to reply, and nothing besides it, when the passages do not hold the answer.
inline constexpr char kNothingFoundMark[] = "<nothing>";

enum class PromptLanguage {
  automatic,  ///< Chinese for a question with a Chinese character, English otherwise.
  english,
  chinese,
};

/// The language that a text asks for: english or chinese.
PromptLanguage language_of(std::string_view text) noexcept;

class PromptOptions {
 public:
  PromptOptions() = default;

  PromptLanguage language = PromptLanguage::automatic;
  /// Templates (PromptTemplate). Empty: built in, in the language. `user` must use {context} and {question}; both may
  /// use {nothing} (kNothingFoundMark) and `variables`.
  std::string system;
  std::string user;
  PromptTemplate::Values variables;

  /// Of the whole prompt, reply not included. What does not fit is left out: turns of the history from the oldest on,
  /// then passages from the last on. The last passage that is taken may be cut after a sentence.
  std::size_t max_tokens = 6000;
  std::size_t max_history_tokens = 1500;        ///< Of the history alone.
  std::shared_ptr<const TokenCounter> counter;  ///< Null: estimated_token_counter().
};

/// A prompt for one question.
class RenderedPrompt {
 public:
  RenderedPrompt() = default;

  std::vector<ChatMessage> messages;  ///< System, history in turns, then context and question.
  std::vector<Hit> passages;          ///< Those in the context; number n in the prompt is passages[n - 1].
  std::string context;                ///< The passages as they stand in the prompt.
  std::string nonce;                  ///< Marks where passages begin and end.
  std::size_t tokens = 0;             ///< Of all messages, by the options' counter.
  Hash128 key;                        ///< Equal for prompts that differ in their nonce only.
};

/// Makes prompts from a question, what was retrieved for it, and what was said before.
///
/// A passage stands between lines that hold a fresh random nonce, so that no text which was written before can pretend
/// to end its passage; the line before it tells its number, its source and its bytes. The system message says that
/// passages are material, not instructions. Concurrent use is safe.
class Prompt {
 public:
  /// Errors: Errc::parse_error and Errc::invalid_argument for templates; Errc::not_found for a hole without a value.
  explicit Prompt(PromptOptions options = {});

  /// `history`: user and assistant in turn, oldest first. What stands before the first question with an answer (a
  /// summary, as Memory::load() gives it) is kept before all turns; a message of the user's that another one follows is
  /// joined to it. Errors: Errc::limit_exceeded if the question alone does not
  /// fit in max_tokens, or no part of the first passage does.
  RenderedPrompt render(const std::string& question, const std::vector<Hit>& hits,
                        const std::vector<ChatMessage>& history = {}) const;

  const PromptOptions& options() const noexcept { return options_; }

 private:
  class Composer;

  PromptOptions options_;
  PromptTemplate system_[2];  ///< English, Chinese.
  PromptTemplate user_[2];
};

static_assert(!std::is_aggregate_v<PromptOptions> && !std::is_aggregate_v<RenderedPrompt> &&
              !std::is_aggregate_v<Prompt>);

}  // namespace ragstone
