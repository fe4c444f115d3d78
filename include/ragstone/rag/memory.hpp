#pragma once

#include <ragstone/async/call_context.hpp>
#include <ragstone/async/task.hpp>
#include <ragstone/model/chat_model.hpp>
#include <ragstone/model/sessions.hpp>
#include <ragstone/text/token_counter.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace ragstone {

/// What save() did.
class SaveReport {
 public:
  SaveReport() = default;

  std::uint64_t turns = 0;   ///< That are kept.
  std::uint64_t tokens = 0;  ///< Of these and the summary.
  bool summarized = false;
  /// Why older turns could not be summarised: they are kept, and later ones try again. Empty: no failure.
  std::string pending;
};

/// What a conversation remembers, session by session: makes the history of a prompt from the turns before.
///
/// Any number of operations at once, of one session too: turns are added whole, in some order.
class Memory {
 public:
  virtual ~Memory() = default;

  /// User and assistant in turn, oldest first; whole turns only. A summary goes before them in a message of the user's,
  /// as material between two lines with a mark that is made of its bytes: it was written by a model, from what others
  /// wrote, and has no authority.
  Task<std::vector<ChatMessage>> load(SessionId session, CallContext context = {});
  /// append(), then prune().
  Task<SaveReport> save(SessionId session, std::string question, std::string answer, CallContext context = {});
  /// Keeps a turn: it is stored when this completes. No model is asked.
  Task<void> append(SessionId session, std::string question, std::string answer, CallContext context = {});
  /// Forgets, or summarises, what is too much. The model may take its time; calls of one session at once are safe, but
  /// each asks the model. An Assistant does so behind its answers, on the background lane.
  Task<SaveReport> prune(SessionId session, CallContext context = {});
  /// Forgets everything of the session. False if there was nothing.
  Task<bool> clear(SessionId session, CallContext context = {});

 protected:
  explicit Memory(std::shared_ptr<SessionStore> sessions);
  SessionStore& sessions() const noexcept { return *sessions_; }
  /// What the store has, with the tokens of turns that a memory without a limit of tokens has kept.
  Task<SessionRecord> loaded(SessionId session, CallContext context) const;

 private:
  /// Which turns of a record, from which on, load() gives.
  virtual std::size_t first_turn(const SessionRecord& record) const = 0;
  virtual std::uint64_t tokens_of(const std::string& question, const std::string& answer) const = 0;
  /// What is to be forgotten after a turn was added.
  virtual Task<SaveReport> do_prune(SessionId session, SessionRecord record, CallContext context) = 0;

  Turn turn_of(std::string question, std::string answer) const;
  void count_turns(SessionRecord& record) const;

  std::shared_ptr<SessionStore> sessions_;
};

/// Remembers everything.
std::shared_ptr<Memory> buffer_memory(std::shared_ptr<SessionStore> sessions);

/// Remembers the last `turns` turns; older ones are forgotten. Errors: Errc::invalid_argument for 0.
std::shared_ptr<Memory> window_memory(std::shared_ptr<SessionStore> sessions, std::size_t turns = 5);

class TokenMemoryOptions {
 public:
  TokenMemoryOptions() = default;

  std::uint64_t max_tokens = 2000;                   ///< Of all turns (and the summary) that are kept.
  std::shared_ptr<const TokenCounter> counter;       ///< Null: estimated_token_counter().
  std::chrono::milliseconds model_timeout{120'000};  ///< Of each call for a summary.
  /// ChatRequest::max_tokens of each call for a summary, with what a reasoning model thinks before it. None: not sent.
  std::optional<std::uint32_t> summary_max_tokens;
};

/// Remembers the last turns that have at most max_tokens together; older ones are forgotten. A turn that is larger
/// alone is forgotten at once, with all before it.
std::shared_ptr<Memory> token_memory(std::shared_ptr<SessionStore> sessions, TokenMemoryOptions options = {});

/// As token_memory(), but what would be forgotten is summarised first, by `model`, and only what is in the summary is
/// forgotten: a call that fails loses nothing. The model is asked for a summary of at most a quarter of max_tokens, and
/// one of more than half of them is refused. While turns wait for
/// a summary, load() gives the last ones that fit, as token_memory() does, however long that goes on: a failure is told
/// in SaveReport::pending and to observers, by a run of EventKind::custom with the name "memory summary", and after
/// three in a row a session's model is asked at every second save(), every fourth, up to every 64th. No call is given
/// turns of more than twice max_tokens: many turns are summarised in several calls, and one that is longer is cut in
/// its middle for it. Errors: Errc::invalid_argument for no model.
std::shared_ptr<Memory> summary_memory(std::shared_ptr<SessionStore> sessions, std::shared_ptr<ChatModel> model,
                                       TokenMemoryOptions options = {});

static_assert(!std::is_aggregate_v<SaveReport> && !std::is_aggregate_v<TokenMemoryOptions>);

}  // namespace ragstone
