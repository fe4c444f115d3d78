#include <ragstone/async/event.hpp>
#include <ragstone/base/error.hpp>

#include <utility>

namespace ragstone {

const char* name_of(EventKind kind) noexcept {
  switch (kind) {
    case EventKind::query:
      return "query";
    case EventKind::chat:
      return "chat";
    case EventKind::embed:
      return "embed";
    case EventKind::retrieve:
      return "retrieve";
    case EventKind::rerank:
      return "rerank";
    case EventKind::chunk:
      return "chunk";
    case EventKind::load:
      return "load";
    case EventKind::store_read:
      return "store_read";
    case EventKind::store_write:
      return "store_write";
    case EventKind::index_run:
      return "index_run";
    case EventKind::cache:
      return "cache";
    case EventKind::tool:
      return "tool";
    case EventKind::custom:
      return "custom";
  }
  return "unknown";
}

const char* name_of(EventPhase phase) noexcept {
  switch (phase) {
    case EventPhase::start:
      return "start";
    case EventPhase::token:
      return "token";
    case EventPhase::retry:
      return "retry";
    case EventPhase::custom:
      return "custom";
    case EventPhase::end:
      return "end";
    case EventPhase::error:
      return "error";
  }
  return "unknown";
}

Event::Event(const CallContext& run, EventKind kind, EventPhase phase, std::string name, Metadata attributes,
             std::string text, std::exception_ptr error)
    : run_(run.without_observers()),
      kind_(kind),
      phase_(phase),
      name_(std::move(name)),
      attributes_(std::move(attributes)),
      text_(std::move(text)),
      error_(std::move(error)),
      time_(CallContext::Clock::now()),
      wall_time_(WallClock::now()) {}

bool Event::cancelled() const noexcept { return error_ && is_cancelled(error_); }

}  // namespace ragstone
