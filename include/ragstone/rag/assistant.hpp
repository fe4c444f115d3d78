#pragma once

#include <ragstone/async/call_context.hpp>
#include <ragstone/async/runtime.hpp>
#include <ragstone/async/stream.hpp>
#include <ragstone/async/task.hpp>
#include <ragstone/model/chat_model.hpp>
#include <ragstone/rag/answer.hpp>
#include <ragstone/rag/hit_source.hpp>
#include <ragstone/rag/memory.hpp>
#include <ragstone/rag/prompt.hpp>
#include <ragstone/rag/retriever.hpp>
#include <ragstone/text/analyzer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace ragstone {

enum class AnswerMode {
  answer,
  only_context,  ///< Retrieves, and gives the context that a model would see.
  only_prompt,   ///< Retrieves, and gives the messages that a model would get.
};

/// How an answer is taken from the passages where no model is asked: the sentences that score best by BM25 over the
/// passages' sentences, for the question's terms without its function words; a term that a chosen sentence has counts
/// less for the next. What it is worth is printed by benchmarks/answers.cpp.
class ExtractiveOptions {
 public:
  ExtractiveOptions() = default;

  std::size_t max_sentences = 3;
  /// The share of the question's words (a Chinese character counts half a word) that the first sentence and the
  /// passages of its source must hold, the mean of both; otherwise nothing was found (`benchmarks/run.sh answers`).
  double min_coverage = 0.55;
  double min_relative_score = 0.4;  ///< Later sentences score at least this share of the first.
};

class AssistantOptions {
 public:
  AssistantOptions() = default;

  std::string name = "assistant";    ///< In query runs.
  std::shared_ptr<ChatModel> model;  ///< Null: answers by extraction.
  PromptOptions prompt;
  /// Null: every question stands alone. A turn is stored before its answer is given, or a note of the answer says that
  /// it was not, or not within the call's deadline and a minute. It is summarised, if it comes to that, afterwards, in
  /// the background: a question of the session that comes meanwhile waits for the storing alone.
  std::shared_ptr<Memory> memory;
  ExtractiveOptions extractive;
  std::shared_ptr<const Analyzer> analyzer;  ///< For extraction and citations. Null: standard_analyzer().
  UsageMeterOptions usage;                   ///< Of Answer::usage.

  std::optional<double> temperature;
  std::optional<std::uint32_t> max_answer_tokens;
  std::chrono::milliseconds model_timeout{120'000};
};

/// A question with what it changes about retrieval, and the conversation that it is part of.
class Question : public Query {
 public:
  Question() = default;
  explicit Question(std::string question_text) : Query(std::move(question_text)) {}

  SessionId session;  ///< Its name may be empty: then nothing is remembered.
  AnswerMode mode = AnswerMode::answer;
};

/// Answers questions from what a retriever finds: retrieval, prompt, model, citations, memory. Without a model the
/// answer is made of sentences of the passages, so that it works offline.
///
/// A cheap handle; copies share everything. Any number of questions at once, on any serial executors; the Runtime
/// outlives them. Every Task can be cancelled (terminal) and honours its context's deadline. Each question emits one
/// query run; its parts emit theirs below it.
class Assistant {
 public:
  Assistant() = default;
  /// Errors: Errc::invalid_argument, Errc::parse_error, Errc::not_found for the prompt's templates; no source.
  Assistant(Runtime& runtime, std::shared_ptr<HitSource> source, AssistantOptions options = {});
  Assistant(Retriever retriever, AssistantOptions options = {});

  /// Errors: those of retrieval and of the model; Errc::invalid_argument for an empty question or a session without
  /// memory; Errc::limit_exceeded for a question that is too long for the prompt.
  Task<Answer> ask(std::string question, CallContext context = {}) const;
  Task<Answer> ask(Question question, CallContext context = {}) const;

  /// The same, and the text goes into `pieces` as it arrives; citations come with the answer. The stream is finished,
  /// or failed with the error, before this completes; it has the whole text of an answer that was found, and the words
  /// for nothing_found otherwise. A reader that goes away cancels the question; once the stream has ended the turn is
  /// kept whatever becomes of the call, unless the Runtime ends before it is.
  Task<Answer> ask_stream(Question question, StreamProducer<std::string> pieces, CallContext context = {}) const;

  /// For callbacks, futures and other completion tokens; signature void(std::exception_ptr, Answer).
  template <class Token>
  auto async_ask(Question question, Token&& token) const {
    return runtime().spawn(ask(std::move(question)), std::forward<Token>(token));
  }
  template <class Token>
  auto async_ask_stream(Question question, StreamProducer<std::string> pieces, Token&& token) const {
    return runtime().spawn(ask_stream(std::move(question), std::move(pieces)), std::forward<Token>(token));
  }

  explicit operator bool() const noexcept { return state_ != nullptr; }

 private:
  class State;
  Runtime& runtime() const;
  const std::shared_ptr<State>& state() const;

  std::shared_ptr<State> state_;
};

static_assert(!std::is_aggregate_v<ExtractiveOptions> && !std::is_aggregate_v<AssistantOptions> &&
              !std::is_aggregate_v<Question> && !std::is_aggregate_v<Assistant>);

}  // namespace ragstone
