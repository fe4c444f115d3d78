#include "rag/assistant_stream.hpp"
#include "rag/citation_marks.hpp"
#include "rag/extractive.hpp"
#include "rag/memory_keeper.hpp"
#include "rag/prompt_texts.hpp"
#include "store/run_search.hpp"
#include <ragstone/async/offload.hpp>
#include <ragstone/async/run_scope.hpp>
#include <ragstone/base/error.hpp>
#include <ragstone/rag/assistant.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace ragstone {
namespace {

void find_nothing(Answer& answer, std::string_view question) {
  answer.outcome = AnswerOutcome::nothing_found;
  answer.text = prompt_texts::nothing_found(language_of(question));
}

Hash128 cache_key(const Question& question, const Retrieval& retrieval, const RenderedPrompt& prompt) {
  std::vector<std::string> parts{question.session.tenant, to_string(prompt.key)};
  for (const Generation generation : retrieval.generations) parts.push_back(std::to_string(generation));
  const std::vector<std::string_view> views(parts.begin(), parts.end());
  return hash128(views);
}

Metadata start_attributes(const CallContext& context, const Question& question) {
  Metadata attributes;
  if (context.observed() && !question.session.name.empty()) attributes.set("session", question.session.name);
  return attributes;
}

Metadata end_attributes(const CallContext& context, const Answer& answer) {
  Metadata attributes;
  if (!context.observed()) return attributes;
  attributes.set("outcome", name_of(answer.outcome));
  attributes.set("passages", static_cast<std::int64_t>(answer.passages.size()));
  attributes.set("citations", static_cast<std::int64_t>(answer.citations.size()));
  attributes.set("forged_citations", static_cast<std::int64_t>(answer.forged_citations));
  return attributes;
}

}  // namespace

const char* name_of(AnswerOutcome outcome) noexcept {
  switch (outcome) {
    case AnswerOutcome::answered:
      return "answered";
    case AnswerOutcome::nothing_found:
      return "nothing_found";
    case AnswerOutcome::context_only:
      return "context_only";
    case AnswerOutcome::prompt_only:
      return "prompt_only";
  }
  return "unknown";
}

/// What copies of an Assistant share. Its tasks keep it by `self`.
class Assistant::State {
 public:
  using Self = std::shared_ptr<State>;

  State(Runtime& own_runtime, std::shared_ptr<HitSource> own_source, AssistantOptions own_options)
      : runtime(own_runtime),
        pool(own_runtime.pool()),
        source(std::move(own_source)),
        options(std::move(own_options)),
        prompt(options.prompt) {
    if (!source) throw Error(Errc::invalid_argument, "Assistant: no source to retrieve from");
    if (!options.analyzer) options.analyzer = standard_analyzer();
    if (options.memory) keeper = std::make_shared<MemoryKeeper>(runtime, options.memory);
  }

  static Task<Answer> run(Self self, Question question, StreamProducer<std::string> pieces, CallContext context);

  Runtime& runtime;  // for async_ask(); questions in flight may outlive it, and find the pool closed
  const Pool pool;

 private:
  static Task<Answer> answer(Self self, Question question, StreamProducer<std::string> pieces, CallContext context,
                             CallContext outer);
  Task<RenderedPrompt> render(Self self, const Question& question, const Retrieval& retrieval,
                              std::vector<ChatMessage> history, CallContext context);
  Task<void> extract(Self self, const Question& question, std::shared_ptr<Answer> answer, CallContext context);
  Task<void> ask_model(Self self, const Question& question, Hash128 key, StreamProducer<std::string> pieces,
                       std::shared_ptr<Answer> answer, CallContext context);
  Task<void> cite(Self self, std::shared_ptr<Answer> answer, CallContext context);
  Task<void> remembered(std::shared_ptr<MemoryKeeper::Ticket> ticket, Answer& answer, CallContext context);
  bool remembers(const Question& question) const { return options.memory && !question.session.name.empty(); }
  void check(const Question& question) const;

  std::shared_ptr<HitSource> source;
  AssistantOptions options;
  Prompt prompt;
  std::shared_ptr<MemoryKeeper> keeper;  // none without a memory
};

void Assistant::State::check(const Question& question) const {
  if (question.text.empty()) throw Error(Errc::invalid_argument, "Assistant: the question is empty");
  if (!question.session.name.empty() && !options.memory)
    throw Error(Errc::invalid_argument, "Assistant: a session needs AssistantOptions::memory");
}

Task<Answer> Assistant::State::run(Self self, Question question, StreamProducer<std::string> pieces,
                                   CallContext context) {
  self->check(question);
  const UsageMeter meter(context, self->options.usage);
  RunScope run(meter.context(), EventKind::query, self->options.name, start_attributes(meter.context(), question));
  Task<Answer> answering = answer(self, std::move(question), std::move(pieces), run.context(), std::move(context));
  Answer answer = co_await in_run(run, std::move(answering));
  run.end(end_attributes(run.context(), answer));
  answer.usage = meter.report();
  co_return answer;
}

/// `outer`: the caller's context, for what goes on after the answer.
Task<Answer> Assistant::State::answer(Self self, Question question, StreamProducer<std::string> pieces,
                                      CallContext context, CallContext outer) {
  std::vector<ChatMessage> history;
  if (self->remembers(question)) {
    co_await self->keeper->settled(question.session, context);
    history = co_await self->options.memory->load(question.session, context);
  }
  Query query = question;
  Retrieval retrieval = co_await self->source->retrieve(std::move(query), context);

  const auto answer = std::make_shared<Answer>();
  answer->notes = retrieval.notes;
  for (const MemberFailure& failure : retrieval.failures) {
    std::string note = note_of(failure);
    if (std::find(answer->notes.begin(), answer->notes.end(), note) == answer->notes.end())
      answer->notes.push_back(std::move(note));
  }
  bool is_streamed = false;
  if (retrieval.hits.empty()) {
    find_nothing(*answer, question.text);
  } else {
    RenderedPrompt rendered = co_await self->render(self, question, retrieval, std::move(history), context);
    const Hash128 key = cache_key(question, retrieval, rendered);
    retrieval = Retrieval();  // the model may take its time
    answer->passages = std::move(rendered.passages);
    if (question.mode == AnswerMode::only_context) {
      answer->outcome = AnswerOutcome::context_only;
      answer->text = std::move(rendered.context);
    } else if (question.mode == AnswerMode::only_prompt) {
      answer->outcome = AnswerOutcome::prompt_only;
      answer->messages = std::move(rendered.messages);
    } else if (!self->options.model) {
      co_await self->extract(self, question, answer, context);
    } else {
      answer->messages = std::move(rendered.messages);
      co_await self->ask_model(self, question, key, pieces, answer, context);
      is_streamed = answer->outcome == AnswerOutcome::answered;
    }
  }
  if (pieces && !is_streamed && !answer->text.empty()) co_await pieces.push(answer->text, context);
  std::shared_ptr<MemoryKeeper::Ticket> ticket;
  if (self->remembers(question) && answer->outcome == AnswerOutcome::answered && answer->complete)
    ticket = self->keeper->keep(question.session, question.text, without_marks(answer->text), std::move(outer));
  pieces.finish();
  if (ticket) co_await self->remembered(std::move(ticket), *answer, context);
  co_return std::move(*answer);
}

Task<RenderedPrompt> Assistant::State::render(Self self, const Question& question, const Retrieval& retrieval,
                                              std::vector<ChatMessage> history, CallContext context) {
  Work<RenderedPrompt> work;
  work.set([self, text = question.text, hits = retrieval.hits, history = std::move(history)](const StopToken&) {
    return self->prompt.render(text, hits, history);
  });
  co_return co_await offload(pool, context.lane(), std::move(work), context);
}

Task<void> Assistant::State::extract(Self self, const Question& question, std::shared_ptr<Answer> answer,
                                     CallContext context) {
  Work<Answer> work;
  work.set([self, text = question.text, made = *answer](const StopToken&) mutable {
    answer_by_extraction(text, *self->options.analyzer, self->options.extractive, made);
    return std::move(made);
  });
  *answer = co_await offload(pool, context.lane(), std::move(work), context);
}

Task<void> Assistant::State::ask_model(Self self, const Question& question, Hash128 key,
                                       StreamProducer<std::string> pieces, std::shared_ptr<Answer> answer,
                                       CallContext context) {
  ChatRequest request;
  request.messages = answer->messages;
  request.temperature = options.temperature;
  request.max_tokens = options.max_answer_tokens;
  request.cache_key = key;
  const CallContext bounded = context.with_timeout(options.model_timeout);
  ChatReply reply;
  if (pieces) {
    reply = co_await stream_answer(options.model, std::move(request), pieces, bounded);
  } else {
    reply = co_await options.model->chat(std::move(request), bounded);
  }
  answer->model = reply.model.empty() ? options.model->name() : reply.model;
  answer->complete = reply.finish == FinishReason::stop;
  if (says_nothing(reply.text)) {
    find_nothing(*answer, question.text);
    co_return;
  }
  answer->text = std::move(reply.text);
  co_await cite(self, answer, context);
}

Task<void> Assistant::State::cite(Self self, std::shared_ptr<Answer> answer, CallContext context) {
  Work<Answer> work;
  work.set([self, made = *answer](const StopToken&) mutable {
    made.citations = find_citations(made.text, made.passages, *self->options.analyzer, made.forged_citations);
    return std::move(made);
  });
  *answer = co_await offload(pool, context.lane(), std::move(work), context);
}

/// The answer is there and was paid for: what goes wrong now becomes a note.
Task<void> Assistant::State::remembered(std::shared_ptr<MemoryKeeper::Ticket> ticket, Answer& answer,
                                        CallContext context) {
  std::exception_ptr error;
  try {
    co_await keeper->stored(std::move(ticket), std::move(context));
  } catch (...) {
    error = std::current_exception();
  }
  if (!error) co_return;
  if (is_cancelled(error)) std::rethrow_exception(error);
  // The deadline may be the call's or the sessions' own.
  const bool is_late = errc_of(error) == Errc::timeout;
  answer.notes.push_back((is_late ? "memory: the turn was not kept in time: " : "memory: the turn was not kept: ") +
                         message_of(error));
}

Assistant::Assistant(Runtime& runtime, std::shared_ptr<HitSource> source, AssistantOptions options)
    : state_(std::make_shared<State>(runtime, std::move(source), std::move(options))) {}

Assistant::Assistant(Retriever retriever, AssistantOptions options)
    : state_(std::make_shared<State>(retriever.runtime(), hit_source(retriever), std::move(options))) {}

const std::shared_ptr<Assistant::State>& Assistant::state() const {
  if (!state_) throw Error(Errc::closed, "this Assistant is empty; make one from a Retriever");
  return state_;
}

Runtime& Assistant::runtime() const { return state()->runtime; }

Task<Answer> Assistant::ask(std::string question, CallContext context) const {
  return ask(Question(std::move(question)), std::move(context));
}

Task<Answer> Assistant::ask(Question question, CallContext context) const {
  return State::run(state(), std::move(question), StreamProducer<std::string>(), std::move(context));
}

namespace {

Task<Answer> ending_stream(Task<Answer> answering, StreamProducer<std::string> pieces) {
  try {
    Answer answer = co_await std::move(answering);
    pieces.finish();
    co_return answer;
  } catch (...) {
    pieces.fail(std::current_exception());
    throw;
  }
}

}  // namespace

Task<Answer> Assistant::ask_stream(Question question, StreamProducer<std::string> pieces, CallContext context) const {
  Task<Answer> answering = State::run(state(), std::move(question), pieces, std::move(context));
  return ending_stream(std::move(answering), std::move(pieces));
}

}  // namespace ragstone
