#include "rag/memory_keeper.hpp"

#include <ragstone/async/run_scope.hpp>
#include <ragstone/base/error.hpp>

#include <chrono>
#include <utility>

namespace ragstone {
namespace {

// So that sessions whose store hangs do not hold up the questions that come after: a commit waits for nothing so long.
constexpr auto kStoreTimeout = std::chrono::minutes(1);

}  // namespace

/// A turn on its way. Guarded by the keeper's mutex.
class MemoryKeeper::Ticket {
 public:
  std::string question;
  std::string answer;
  CallContext context;
  bool has_ended = false;
  std::exception_ptr error;
  std::vector<detail::Gate> waiters;
};

/// The duty to end all tickets of a session, also if the task that has it is dropped: the Runtime may end any time.
class MemoryKeeper::Storing {
 public:
  Storing(Self own_keeper, SessionId own_session) : keeper(std::move(own_keeper)), session(std::move(own_session)) {}
  Storing(const Storing&) = delete;
  Storing& operator=(const Storing&) = delete;
  ~Storing() {
    if (is_done) return;
    const auto closed = std::make_exception_ptr(Error(Errc::closed, "memory: the Runtime has ended"));
    while (keeper->first(session)) keeper->end_first(session, closed);
  }

  const Self keeper;
  const SessionId session;
  bool is_done = false;
};

std::shared_ptr<MemoryKeeper::Ticket> MemoryKeeper::keep(SessionId session, std::string question, std::string answer,
                                                         CallContext context) {
  auto ticket = std::make_shared<Ticket>();
  ticket->question = std::move(question);
  ticket->answer = std::move(answer);
  ticket->context = context.without_deadline();
  bool begin = false;
  {
    const std::lock_guard lock(mutex_);
    Line& line = lines_[session];
    line.waiting.push_back(ticket);
    begin = !std::exchange(line.storing, true);
  }
  if (begin) scope_.spawn(store_all(std::make_shared<Storing>(shared_from_this(), std::move(session))));
  return ticket;
}

Task<void> MemoryKeeper::ended(std::shared_ptr<Ticket> ticket, CallContext context) {
  detail::Gate gate;
  {
    const std::lock_guard lock(mutex_);
    if (ticket->has_ended) co_return;
    ticket->waiters.push_back(gate);
  }
  const detail::Wake wake = co_await gate.wait(context.deadline());
  detail::throw_unless_opened(wake, "memory: keeping a turn");
}

Task<void> MemoryKeeper::stored(std::shared_ptr<Ticket> ticket, CallContext context) {
  co_await ended(ticket, std::move(context));
  if (ticket->error) std::rethrow_exception(ticket->error);
}

Task<void> MemoryKeeper::settled(SessionId session, CallContext context) {
  std::shared_ptr<Ticket> last;
  {
    const std::lock_guard lock(mutex_);
    const auto line = lines_.find(session);
    if (line != lines_.end() && !line->second.waiting.empty()) last = line->second.waiting.back();
  }
  if (last) co_await ended(std::move(last), std::move(context));
}

/// The one to store next; none, and nobody stores any more, if none waits.
std::shared_ptr<MemoryKeeper::Ticket> MemoryKeeper::first(const SessionId& session) {
  const std::lock_guard lock(mutex_);
  Line& line = lines_[session];
  if (!line.waiting.empty()) return line.waiting.front();
  line.storing = false;
  if (!line.to_prune && !line.pruning) lines_.erase(session);
  return nullptr;
}

void MemoryKeeper::end_first(const SessionId& session, std::exception_ptr error) {
  std::shared_ptr<Ticket> ticket;
  std::vector<detail::Gate> waiters;
  {
    const std::lock_guard lock(mutex_);
    Line& line = lines_[session];
    ticket = std::move(line.waiting.front());
    line.waiting.pop_front();
    ticket->has_ended = true;
    ticket->error = error;
    waiters.swap(ticket->waiters);
    if (!error) line.to_prune = ticket->context;
  }
  for (const detail::Gate& waiter : waiters) waiter.open();
}

Task<void> MemoryKeeper::store_all(std::shared_ptr<Storing> storing) {
  const Self self = storing->keeper;
  const SessionId& session = storing->session;
  while (const std::shared_ptr<Ticket> ticket = self->first(session)) {
    std::exception_ptr error;
    try {
      const CallContext context = ticket->context.with_timeout(kStoreTimeout);
      co_await self->memory_->append(session, ticket->question, ticket->answer, context);
    } catch (...) {
      error = std::current_exception();
    }
    self->end_first(session, error);
    if (!error) self->begin_prune(session);
  }
  storing->is_done = true;
}

void MemoryKeeper::begin_prune(const SessionId& session) {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(lines_[session].pruning, true)) return;
  }
  if (scope_.spawn(prune_all(shared_from_this(), session))) return;
  const std::lock_guard lock(mutex_);
  lines_[session].pruning = false;
  lines_[session].to_prune.reset();
}

/// None, and nobody prunes any more, if nothing was added since.
std::optional<CallContext> MemoryKeeper::next_prune(const SessionId& session) {
  const std::lock_guard lock(mutex_);
  Line& line = lines_[session];
  std::optional<CallContext> context = std::exchange(line.to_prune, std::nullopt);
  if (context) return context;
  line.pruning = false;
  if (!line.storing && line.waiting.empty()) lines_.erase(session);
  return std::nullopt;
}

Task<void> MemoryKeeper::prune_all(Self self, SessionId session) {
  while (const std::optional<CallContext> context = self->next_prune(session)) {
    std::exception_ptr error;
    try {
      // Behind whatever somebody waits for.
      co_await self->memory_->prune(session, context->with_lane(Lane::background));
    } catch (...) {
      error = std::current_exception();
    }
    if (!error || is_cancelled(error)) continue;
    RunScope run(*context, EventKind::custom, "memory");
    run.fail(error);
  }
}

}  // namespace ragstone
