#pragma once

#include <ragstone/async/call_context.hpp>
#include <ragstone/async/task.hpp>

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace ragstone {

/// Whose conversation, and which. A tenant never sees another's sessions.
class SessionId {
 public:
  SessionId() = default;
  explicit SessionId(std::string session_name, std::string session_tenant = {})
      : name(std::move(session_name)), tenant(std::move(session_tenant)) {}

  std::string name;    ///< 1 to 1,024 bytes of valid UTF-8.
  std::string tenant;  ///< At most 1,024 bytes of valid UTF-8; empty: the one tenant of a program without tenants.

  friend auto operator<=>(const SessionId&, const SessionId&) = default;
};

/// A question and its answer.
class Turn {
 public:
  Turn() = default;

  std::uint64_t number = 0;  ///< Given by the store; ascends, and is never used again under the name, cleared or not.
  std::string question;
  std::string answer;
  std::uint64_t tokens = 0;  ///< Of both, by the counter of the memory that saved it; 0: it did not count.
};

/// What is kept of a session.
class SessionRecord {
 public:
  SessionRecord() = default;

  std::string summary;  ///< Of the turns that are no longer kept.
  std::uint64_t summary_tokens = 0;
  std::uint64_t summarized = 0;  ///< Number of the last turn that the summary covers; 0: there is none.
  std::vector<Turn> turns;       ///< Those kept, oldest first.
};

/// Where the turns of sessions are kept. Each call is atomic: a crash leaves all of it or nothing.
///
/// Any number of calls at once. Errors: Errc::invalid_argument for a bad id; those of the medium.
class SessionStore {
 public:
  virtual ~SessionStore() = default;

  /// An empty record for a session that there is not.
  Task<SessionRecord> load(SessionId session, CallContext context = {});
  /// Adds a turn at the end, and gives the session as it is then. `turn.number` is set by the store.
  Task<SessionRecord> append(SessionId session, Turn turn, CallContext context = {});
  /// Forgets the turns up to `last`.
  Task<void> drop(SessionId session, std::uint64_t last, CallContext context = {});
  /// Replaces the summary by one that also covers the turns up to `last`, and forgets these. False, and nothing is
  /// changed, unless the present summary covers the turns up to `expected` and turn `last` is still there: else
  /// somebody summarised or cleared the session meanwhile.
  Task<bool> summarize(SessionId session, std::uint64_t expected, std::uint64_t last, std::string summary,
                       std::uint64_t summary_tokens, CallContext context = {});
  /// Forgets the session. False if there was none.
  Task<bool> clear(SessionId session, CallContext context = {});
  /// Names of the tenant's sessions, ascending.
  Task<std::vector<std::string>> names(std::string tenant = {}, CallContext context = {});

 private:
  virtual Task<SessionRecord> do_load(SessionId session, CallContext context) = 0;
  virtual Task<SessionRecord> do_append(SessionId session, Turn turn, CallContext context) = 0;
  virtual Task<void> do_drop(SessionId session, std::uint64_t last, CallContext context) = 0;
  virtual Task<bool> do_summarize(SessionId session, std::uint64_t expected, std::uint64_t last, std::string summary,
                                  std::uint64_t summary_tokens, CallContext context) = 0;
  virtual Task<bool> do_clear(SessionId session, CallContext context) = 0;
  virtual Task<std::vector<std::string>> do_names(std::string tenant, CallContext context) = 0;
};

/// Sessions that end with the process.
std::shared_ptr<SessionStore> memory_sessions();

static_assert(!std::is_aggregate_v<SessionId> && !std::is_aggregate_v<Turn> && !std::is_aggregate_v<SessionRecord>);

}  // namespace ragstone
