#pragma once

#include <ragstone/async/call_context.hpp>
#include <ragstone/async/detail/gate.hpp>
#include <ragstone/async/task.hpp>
#include <ragstone/async/task_scope.hpp>
#include <ragstone/rag/memory.hpp>

#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ragstone {

/// Keeps the turns of answers in a Memory, apart from the calls that gave them: a caller that goes takes no turn along,
/// and no caller waits while turns are summarised. The turns of a session are stored one after the other, in the order
/// of keep(); what is too much is forgotten or summarised behind them, once at a time for each session.
///
/// Thread-safe. Its tasks keep it until they have ended; the Runtime's destructor cancels them.
class MemoryKeeper : public std::enable_shared_from_this<MemoryKeeper> {
 public:
  class Ticket;

  MemoryKeeper(Runtime& runtime, std::shared_ptr<Memory> memory) : memory_(std::move(memory)), scope_(runtime) {}

  /// `context`: its observers are told of what goes wrong in the background; its deadline counts for nothing.
  std::shared_ptr<Ticket> keep(SessionId session, std::string question, std::string answer, CallContext context);
  /// Waits until the turn is stored. Errors: those of storing it; Errc::timeout at the deadline.
  Task<void> stored(std::shared_ptr<Ticket> ticket, CallContext context);
  /// Waits until each turn that was given to keep() for the session is stored, or was not.
  Task<void> settled(SessionId session, CallContext context);

 private:
  class Line {
   public:
    std::deque<std::shared_ptr<Ticket>> waiting;
    bool storing = false;
    bool pruning = false;
    std::optional<CallContext> to_prune;
  };
  using Self = std::shared_ptr<MemoryKeeper>;
  class Storing;

  static Task<void> store_all(std::shared_ptr<Storing> storing);
  static Task<void> prune_all(Self self, SessionId session);
  Task<void> ended(std::shared_ptr<Ticket> ticket, CallContext context);
  std::shared_ptr<Ticket> first(const SessionId& session);
  void end_first(const SessionId& session, std::exception_ptr error);
  std::optional<CallContext> next_prune(const SessionId& session);
  void begin_prune(const SessionId& session);

  const std::shared_ptr<Memory> memory_;
  std::mutex mutex_;
  std::map<SessionId, Line> lines_;  ///< Of the sessions that something is to be done for.
  TaskScope scope_;
};

}  // namespace ragstone
