#pragma once

#include <ragstone/rag/prompt.hpp>

#include <cstdint>
#include <string>
#include <string_view>

/// What Ragstone itself says to models and people, in each language.
namespace ragstone::prompt_texts {

std::string_view system_template(PromptLanguage language) noexcept;
std::string_view user_template(PromptLanguage language) noexcept;
/// The line before the passages. `nonce` marks them.
std::string context_head(PromptLanguage language, const std::string& nonce);
/// For a model that picks sentences out of a passage, and the line before that passage.
std::string quote_instruction(PromptLanguage language);
std::string passage_head(PromptLanguage language, const std::string& nonce);
/// For a model that keeps a conversation's summary of at most so many tokens, and the line before what it reads.
std::string summary_instruction(PromptLanguage language, std::uint64_t max_tokens);
std::string conversation_head(PromptLanguage language, const std::string& nonce);
/// The line before a summary, in a prompt.
std::string summary_head(PromptLanguage language, const std::string& mark);
/// The question, as it stands behind the passages.
std::string question_line(PromptLanguage language, std::string_view question);
/// What an answer says when nothing was found.
std::string_view nothing_found(PromptLanguage language) noexcept;

}  // namespace ragstone::prompt_texts
