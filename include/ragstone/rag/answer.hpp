#pragma once

#include <ragstone/base/ids.hpp>
#include <ragstone/base/span.hpp>
#include <ragstone/model/chat_model.hpp>
#include <ragstone/model/usage_meter.hpp>
#include <ragstone/rag/hit.hpp>
#include <ragstone/text/analyzer.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace ragstone {

/// Where a statement of an answer comes from.
class Citation {
 public:
  Citation() = default;

  Span mark;                ///< Bytes of Answer::text: "[1]".
  std::size_t passage = 0;  ///< Into Answer::passages.
  NodeId node = 0;
  Uid uid;
  std::string source;
  /// The bytes of the source that support the statement best: a sentence of the passage, or the whole passage if no
  /// sentence has a word of the statement.
  Span span;
  Span file_span;     ///< The same in the file; of the whole passage where the file is in another encoding.
  std::string quote;  ///< The bytes of `span`.
  /// The share of the statement's different terms that `quote` holds, 0 to 1: low for a citation that does not fit.
  double support = 0;
};

enum class AnswerOutcome {
  answered,
  nothing_found,  ///< Nothing was retrieved, or the passages do not hold the answer.
  context_only,   ///< AnswerMode::only_context
  prompt_only,    ///< AnswerMode::only_prompt
};

const char* name_of(AnswerOutcome outcome) noexcept;

class Answer {
 public:
  Answer() = default;

  AnswerOutcome outcome = AnswerOutcome::answered;
  /// The answer with its marks; what was not found, in words; the context; nothing for prompt_only.
  std::string text;
  /// False: the model stopped before its end (a limit of tokens, a content filter): the text is a part.
  bool complete = true;
  std::vector<Citation> citations;    ///< In the order of the text. Each names a passage below.
  std::size_t forged_citations = 0;   ///< Marks of the text with numbers that no passage has: they cite nothing.
  std::vector<Hit> passages;          ///< What the model saw: mark [n] is passages[n - 1].
  std::vector<ChatMessage> messages;  ///< The prompt; empty where no model was asked.
  std::string model;                  ///< Empty: no model was asked.
  UsageReport usage;               ///< Of all that the answer needed: chat, embeddings, rerankers, caches. No summary.
  std::vector<std::string> notes;  ///< What went wrong without failing the answer, and how rankings were executed.
};

/// Citations of a text that marks its statements with numbers of passages: [1], [1][3], [1, 3], [1-3], and the same in
/// full-width brackets. A mark that is a link (as in Markdown) cites nothing. Numbers that no passage has are counted
/// in `forged`.
///
/// Deterministic; takes time linear in the sizes of the text, and of the passages for each one that is cited.
std::vector<Citation> find_citations(std::string_view text, const std::vector<Hit>& passages, const Analyzer& analyzer,
                                     std::size_t& forged);

static_assert(!std::is_aggregate_v<Citation> && !std::is_aggregate_v<Answer>);

}  // namespace ragstone
