#include "rag/nonce.hpp"
#include "rag/prompt_texts.hpp"
#include "rag/quoted.hpp"
#include <ragstone/async/run_scope.hpp>
#include <ragstone/base/error.hpp>
#include <ragstone/rag/memory.hpp>
#include <ragstone/text/utf8.hpp>

#include <algorithm>
#include <limits>
#include <map>
#include <mutex>
#include <utility>

namespace ragstone {
namespace {

std::uint64_t tokens_in(const SessionRecord& record) {
  std::uint64_t tokens = record.summary_tokens;
  for (const Turn& turn : record.turns) tokens += turn.tokens;
  return tokens;
}

/// The first of the last turns that have at most `limit` tokens together.
std::size_t first_within(const std::vector<Turn>& turns, std::uint64_t limit) {
  std::size_t first = turns.size();
  while (first > 0 && turns[first - 1].tokens <= limit) limit -= turns[--first].tokens;
  return first;
}

SaveReport report_of(const SessionRecord& record, std::size_t first) {
  SaveReport report;
  report.turns = record.turns.size() - first;
  report.tokens = record.summary_tokens;
  for (std::size_t i = first; i < record.turns.size(); ++i) report.tokens += record.turns[i].tokens;
  return report;
}

/// Forgets the turns that load() gives no more.
class PruningMemory : public Memory {
 protected:
  using Memory::Memory;

 private:
  Task<SaveReport> do_prune(SessionId session, SessionRecord record, CallContext context) override {
    const std::size_t first = first_turn(record);
    if (first > 0) co_await sessions().drop(std::move(session), record.turns[first - 1].number, std::move(context));
    co_return report_of(record, first);
  }

  virtual std::size_t first_turn(const SessionRecord& record) const override = 0;
};

class WindowMemory final : public PruningMemory {
 public:
  WindowMemory(std::shared_ptr<SessionStore> sessions, std::size_t turns)
      : PruningMemory(std::move(sessions)), turns_(turns) {}

 private:
  std::size_t first_turn(const SessionRecord& record) const override {
    return record.turns.size() - std::min(record.turns.size(), turns_);
  }
  std::uint64_t tokens_of(const std::string&, const std::string&) const override { return 0; }

  const std::size_t turns_;
};

class TokenMemory final : public PruningMemory {
 public:
  TokenMemory(std::shared_ptr<SessionStore> sessions, TokenMemoryOptions options)
      : PruningMemory(std::move(sessions)), options_(std::move(options)) {}

 private:
  std::size_t first_turn(const SessionRecord& record) const override {
    return first_within(record.turns, options_.max_tokens);
  }
  std::uint64_t tokens_of(const std::string& question, const std::string& answer) const override {
    return options_.counter->count(question) + options_.counter->count(answer);
  }

  const TokenMemoryOptions options_;
};

/// How often a session's model is asked for a summary that fails again and again.
class Patience {
 public:
  /// Whether to try now; a save that does not try counts.
  bool tries() {
    if (to_skip_ == 0) return true;
    --to_skip_;
    return false;
  }
  void failed(std::string why) {
    constexpr std::uint32_t kUnharmed = 3;
    constexpr std::uint32_t kLongest = 6;  // every 64th
    why_ = std::move(why);
    if (++failures_ >= kUnharmed) to_skip_ = (std::uint32_t{1} << std::min(failures_ - kUnharmed + 1, kLongest)) - 1;
  }
  const std::string& why() const noexcept { return why_; }

 private:
  std::uint32_t failures_ = 0;
  std::uint32_t to_skip_ = 0;
  std::string why_;
};

/// Patience with the sessions whose last summary failed. Thread-safe.
class PatienceBySession {
 public:
  bool tries(const SessionId& session) {
    const std::lock_guard lock(mutex_);
    const auto found = sessions_.find(session);
    return found == sessions_.end() || found->second.tries();
  }
  std::string why(const SessionId& session) {
    const std::lock_guard lock(mutex_);
    const auto found = sessions_.find(session);
    return found == sessions_.end() ? std::string() : found->second.why();
  }
  void failed(const SessionId& session, std::string why) {
    constexpr std::size_t kMost = 10'000;
    const std::lock_guard lock(mutex_);
    if (sessions_.size() >= kMost) sessions_.clear();  // all are tried again
    sessions_[session].failed(std::move(why));
  }
  void succeeded(const SessionId& session) {
    const std::lock_guard lock(mutex_);
    sessions_.erase(session);
  }

 private:
  std::mutex mutex_;
  std::map<SessionId, Patience> sessions_;
};

class SummaryMemory final : public Memory {
 public:
  SummaryMemory(std::shared_ptr<SessionStore> sessions, std::shared_ptr<ChatModel> model, TokenMemoryOptions options)
      : Memory(std::move(sessions)), model_(std::move(model)), options_(std::move(options)) {}

 private:
  std::uint64_t summary_limit() const { return std::max<std::uint64_t>(1, options_.max_tokens / 4); }
  std::uint64_t call_limit() const { return 2 * options_.max_tokens; }

  std::size_t first_turn(const SessionRecord& record) const override {
    const std::uint64_t left = options_.max_tokens - std::min(options_.max_tokens, record.summary_tokens);
    return first_within(record.turns, left);
  }
  std::uint64_t tokens_of(const std::string& question, const std::string& answer) const override {
    return options_.counter->count(question) + options_.counter->count(answer);
  }

  /// How many of the first `most` turns one call is given; at least 1.
  std::size_t for_one_call(const SessionRecord& record, std::size_t most) const {
    std::uint64_t tokens = record.turns[0].tokens;
    std::size_t count = 1;
    while (count < most && tokens + record.turns[count].tokens <= call_limit()) tokens += record.turns[count++].tokens;
    return count;
  }

  /// A text of a turn that may be too long for a call: its begin and its end.
  std::string shortened(const std::string& text, std::uint64_t turn_tokens) const {
    if (turn_tokens <= call_limit()) return text;
    const double share = static_cast<double>(call_limit()) / static_cast<double>(turn_tokens);
    const auto half = static_cast<std::size_t>(share * static_cast<double>(text.size()) / 2);
    const std::size_t end = utf8::floor_boundary(text, half);
    const std::size_t begin = utf8::floor_boundary(text, text.size() - half);
    return text.substr(0, end) + " [...] " + text.substr(begin);
  }

  ChatRequest request_for(const SessionId& session, const SessionRecord& record, std::size_t end) const {
    const PromptLanguage language = language_of(record.turns[end - 1].question + record.turns[end - 1].answer);
    std::vector<std::pair<std::string, std::string>> texts;
    if (!record.summary.empty()) texts.emplace_back("summary", record.summary);
    for (std::size_t i = 0; i < end; ++i) {
      const Turn& turn = record.turns[i];
      const std::string number = "turn " + std::to_string(i + 1);  // equal talks are asked about in equal words
      texts.emplace_back(number + ", user", shortened(turn.question, turn.tokens));
      texts.emplace_back(number + ", assistant", shortened(turn.answer, turn.tokens));
    }
    const std::string nonce = fresh_nonce();
    std::string material = prompt_texts::conversation_head(language, nonce);
    std::vector<std::string_view> key{"summary", session.tenant, language == PromptLanguage::chinese ? "zh" : "en"};
    for (const auto& [label, text] : texts) {
      material += quoted(nonce, label, text);
      key.insert(key.end(), {label, text});
    }
    ChatRequest request;
    request.cache_key = hash128(key);  // without the nonce
    request.messages.emplace_back(ChatRole::system, prompt_texts::summary_instruction(language, summary_limit()));
    request.messages.emplace_back(ChatRole::user, std::move(material));
    request.max_tokens = options_.summary_max_tokens;
    return request;
  }

  /// The new summary. Errors: Errc::rejected for one that is empty, cut off, or too long.
  Task<std::string> summary_of(ChatRequest request, CallContext context) {
    ChatReply reply = co_await model_->chat(std::move(request), context.with_timeout(options_.model_timeout));
    if (reply.finish != FinishReason::stop || reply.text.empty())
      throw Error(Errc::rejected, "the model '" + model_->name() + "' gave no whole summary");
    if (options_.counter->count(reply.text) > options_.max_tokens / 2)
      throw Error(Errc::rejected, "the model '" + model_->name() + "' gave a summary beyond the limit of tokens");
    co_return std::move(reply.text);
  }

  /// Has the oldest turns summarised. False if somebody else did so meanwhile.
  // Half of the limit stays for turns, so that not every save makes a summary.
  Task<bool> summarize(SessionId session, const SessionRecord& record, CallContext context) {
    const std::size_t most = std::max<std::size_t>(1, first_within(record.turns, options_.max_tokens / 2));
    const std::size_t end = for_one_call(record, most);
    RunScope run(context, EventKind::custom, "memory summary");
    ChatRequest request = request_for(session, record, end);
    Task<std::string> asking = summary_of(std::move(request), run.context());
    std::string summary = co_await in_run(run, std::move(asking));
    const std::uint64_t tokens = options_.counter->count(summary);
    const std::uint64_t last = record.turns[end - 1].number;
    Task<bool> keeping =
        sessions().summarize(std::move(session), record.summarized, last, std::move(summary), tokens, run.context());
    const bool is_kept = co_await in_run(run, std::move(keeping));
    Metadata attributes;
    if (run.observed()) attributes.set("turns", static_cast<std::int64_t>(end));
    run.end(std::move(attributes));
    co_return is_kept;
  }

  Task<SaveReport> do_prune(SessionId session, SessionRecord record, CallContext context) override {
    bool summarized = false;
    std::exception_ptr error;
    const bool tries = tokens_in(record) > options_.max_tokens && patience_.tries(session);
    while (!error && tries && tokens_in(record) > options_.max_tokens && !record.turns.empty()) {
      try {
        if (co_await summarize(session, record, context)) summarized = true;
      } catch (...) {
        error = std::current_exception();
      }
      if (!error) record = co_await loaded(session, context);
    }
    if (error && is_cancelled(error)) std::rethrow_exception(error);
    if (error) patience_.failed(session, message_of(error));
    if (tries && !error) patience_.succeeded(session);
    const bool waits = tokens_in(record) > options_.max_tokens;
    SaveReport report = report_of(record, waits ? 0 : first_turn(record));
    report.summarized = summarized;
    if (waits) report.pending = patience_.why(session);
    co_return report;
  }

  const std::shared_ptr<ChatModel> model_;
  const TokenMemoryOptions options_;
  PatienceBySession patience_;
};

TokenMemoryOptions checked(TokenMemoryOptions options) {
  if (options.max_tokens == 0) throw Error(Errc::invalid_argument, "memory: max_tokens is 0");
  if (!options.counter) options.counter = estimated_token_counter();
  return options;
}

}  // namespace

Memory::Memory(std::shared_ptr<SessionStore> sessions) : sessions_(std::move(sessions)) {
  if (!sessions_) throw Error(Errc::invalid_argument, "memory: no session store; take memory_sessions()");
}

namespace {

/// The mark is made of the summary, so that no text can hold the mark of its own summary, and equal summaries are equal
/// messages, which caches of answers want.
std::string summary_message(const std::string& summary) {
  const std::string mark = to_string(hash128(summary)).substr(0, 16);
  return prompt_texts::summary_head(language_of(summary), mark) + quoted(mark, "summary", summary);
}

}  // namespace

Task<std::vector<ChatMessage>> Memory::load(SessionId session, CallContext context) {
  const SessionRecord record = co_await loaded(std::move(session), std::move(context));
  std::vector<ChatMessage> messages;
  if (!record.summary.empty()) messages.emplace_back(ChatRole::user, summary_message(record.summary));
  for (std::size_t i = first_turn(record); i < record.turns.size(); ++i) {
    messages.emplace_back(ChatRole::user, record.turns[i].question);
    messages.emplace_back(ChatRole::assistant, record.turns[i].answer);
  }
  co_return messages;
}

Task<SaveReport> Memory::save(SessionId session, std::string question, std::string answer, CallContext context) {
  Turn turn = turn_of(std::move(question), std::move(answer));
  SessionRecord record = co_await sessions_->append(session, std::move(turn), context);
  count_turns(record);
  co_return co_await do_prune(std::move(session), std::move(record), std::move(context));
}

Task<void> Memory::append(SessionId session, std::string question, std::string answer, CallContext context) {
  Turn turn = turn_of(std::move(question), std::move(answer));
  co_await sessions_->append(std::move(session), std::move(turn), std::move(context));
}

Task<SaveReport> Memory::prune(SessionId session, CallContext context) {
  SessionRecord record = co_await loaded(session, context);
  co_return co_await do_prune(std::move(session), std::move(record), std::move(context));
}

Task<SessionRecord> Memory::loaded(SessionId session, CallContext context) const {
  SessionRecord record = co_await sessions_->load(std::move(session), std::move(context));
  count_turns(record);
  co_return record;
}

void Memory::count_turns(SessionRecord& record) const {
  for (Turn& turn : record.turns)
    if (turn.tokens == 0) turn.tokens = tokens_of(turn.question, turn.answer);
}

Turn Memory::turn_of(std::string question, std::string answer) const {
  Turn turn;
  turn.tokens = tokens_of(question, answer);
  turn.question = std::move(question);
  turn.answer = std::move(answer);
  return turn;
}

Task<bool> Memory::clear(SessionId session, CallContext context) {
  return sessions_->clear(std::move(session), std::move(context));
}

std::shared_ptr<Memory> buffer_memory(std::shared_ptr<SessionStore> sessions) {
  return std::make_shared<WindowMemory>(std::move(sessions), std::numeric_limits<std::size_t>::max());
}

std::shared_ptr<Memory> window_memory(std::shared_ptr<SessionStore> sessions, std::size_t turns) {
  if (turns == 0) throw Error(Errc::invalid_argument, "memory: a window of 0 turns remembers nothing");
  return std::make_shared<WindowMemory>(std::move(sessions), turns);
}

std::shared_ptr<Memory> token_memory(std::shared_ptr<SessionStore> sessions, TokenMemoryOptions options) {
  return std::make_shared<TokenMemory>(std::move(sessions), checked(std::move(options)));
}

std::shared_ptr<Memory> summary_memory(std::shared_ptr<SessionStore> sessions, std::shared_ptr<ChatModel> model,
                                       TokenMemoryOptions options) {
  if (!model) throw Error(Errc::invalid_argument, "memory: a summary needs a model");
  return std::make_shared<SummaryMemory>(std::move(sessions), std::move(model), checked(std::move(options)));
}

}  // namespace ragstone
