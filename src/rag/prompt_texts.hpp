#pragma once

#include <ragstone/rag/prompt.hpp>

#include <string>
#include <string_view>

/// What Ragstone itself says to models and people, in each language.
namespace ragstone::prompt_texts {

std::string_view system_template(PromptLanguage language) noexcept;
std::string_view user_template(PromptLanguage language) noexcept;
/// The line before the passages. `nonce` marks them.
std::string context_head(PromptLanguage language, const std::string& nonce);
/// What an answer says when nothing was found.
std::string_view nothing_found(PromptLanguage language) noexcept;

}  // namespace ragstone::prompt_texts
