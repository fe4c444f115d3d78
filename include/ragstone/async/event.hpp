#pragma once

#include <ragstone/async/call_context.hpp>

#include <chrono>
#include <exception>
#include <string>
#include <type_traits>
#include <vector>

namespace ragstone {

/// What a run does.
enum class EventKind {
  query,
  chat,
  embed,
  retrieve,
  rerank,
  chunk,
  load,
  store_read,
  store_write,
  index_run,  ///< Sources come in, a group is built, or a registered index follows; its embed and store runs are below.
  cache,
  tool,
  custom,
};

/// Where in a run an event stands: `start`, any number of the middle ones, then exactly one of `end` and `error`.
enum class EventPhase { start, token, retry, custom, end, error };

const char* name_of(EventKind kind) noexcept;
const char* name_of(EventPhase phase) noexcept;

/// Something that happened in a run, as observers see it. Never changes; copies may outlive the call, and
/// keep no observer alive.
class Event {
 public:
  using WallClock = std::chrono::system_clock;

  Event() = default;
  Event(const CallContext& run, EventKind kind, EventPhase phase, std::string name, Metadata attributes = {},
        std::string text = {}, std::exception_ptr error = nullptr);

  const Hash128& run_id() const noexcept { return run_.run_id(); }
  const Hash128& parent_run_id() const noexcept { return run_.parent_run_id(); }
  const Hash128& trace_id() const noexcept { return run_.trace_id(); }
  const std::vector<std::string>& tags() const noexcept { return run_.tags(); }
  const Metadata& metadata() const noexcept { return run_.metadata(); }

  EventKind kind() const noexcept { return kind_; }
  EventPhase phase() const noexcept { return phase_; }
  /// The model, group, store or custom event that the run is about.
  const std::string& name() const noexcept { return name_; }
  CallContext::Clock::time_point time() const noexcept { return time_; }
  WallClock::time_point wall_time() const noexcept { return wall_time_; }

  /// Numbers and names that belong to this event: counts, scores, usage.
  const Metadata& attributes() const noexcept { return attributes_; }
  /// The piece of an answer in a `token` event.
  const std::string& text() const noexcept { return text_; }
  /// Why the run failed, in an `error` event.
  const std::exception_ptr& error() const noexcept { return error_; }
  /// Whether this is the `error` event of a cancelled run.
  bool cancelled() const noexcept;

 private:
  CallContext run_;
  EventKind kind_ = EventKind::custom;
  EventPhase phase_ = EventPhase::custom;
  std::string name_;
  Metadata attributes_;
  std::string text_;
  std::exception_ptr error_;
  CallContext::Clock::time_point time_;
  WallClock::time_point wall_time_;
};

static_assert(!std::is_aggregate_v<Event>);

}  // namespace ragstone
