#pragma once

#include <string_view>

namespace ragstone {

/// Whether a normalised word only holds a sentence together or makes it a question: "what", "does", "about", the "s" of
/// "what's"; 的, 了, 吗, 什么, 如何. English words, and one or two characters of Chinese, simplified or traditional.
///
/// In a question such words say nothing of its subject, while a text that has them in plenty would gain by them. An
/// index may hold them all the same, for those who ask for nothing else: with AnalyzerOptions::stop_words false, also
/// the 33 that standard_analyzer() leaves out. The English ones are those of common
/// longer lists (NLTK's, MySQL's for InnoDB and MyISAM) that are pronouns, auxiliaries, prepositions, conjunctions,
/// determiners, question words, or what an apostrophe leaves of them.
bool is_function_word(std::string_view form) noexcept;

}  // namespace ragstone
