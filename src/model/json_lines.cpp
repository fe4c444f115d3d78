#include "model/telemetry_names.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/model/json_lines.hpp>

#include <chrono>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include <nlohmann/json.hpp>

namespace ragstone {
namespace {

using nlohmann::ordered_json;

std::int64_t nanoseconds(Event::WallClock::time_point time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

std::string span_id(const Hash128& run) { return to_string(run).substr(0, 16); }

/// What metadata can only hold as one text, and the conventions have as an array. A user may give metadata of that
/// name.
ordered_json as_conventions_have_it(const std::string& name, ordered_json json) {
  if (!json.is_string()) return json;
  if (name == "finish_reason" || name == "encoding_format") return ordered_json::array({std::move(json)});
  if (name != "stop_sequences") return json;
  ordered_json sequences = ordered_json::parse(json.get<std::string>(), nullptr, false);
  return sequences.is_array() ? sequences : json;
}

void add(ordered_json& attributes, EventKind kind, const Metadata& values) {
  for (const auto& [name, value] : values) {
    ordered_json json =
        as_conventions_have_it(name, std::visit([](const auto& scalar) { return ordered_json(scalar); }, value));
    attributes[telemetry::attribute_name(kind, name)] = std::move(json);
  }
}

/// A run that has begun.
class Span {
 public:
  explicit Span(const Event& start) : began_(start.time()), wall_began_(start.wall_time()) {
    const auto object = telemetry::object_attribute(start.kind());
    if (const auto operation = telemetry::operation(start.kind()); !operation.empty())
      attributes_["gen_ai.operation.name"] = operation;
    if (!object.empty()) attributes_[std::string(object)] = telemetry::object(start.kind(), start.name());
    if (const auto operation = telemetry::store_operation(start.kind(), start.name()); !operation.empty())
      attributes_["db.operation.name"] = operation;
    add(attributes_, start.kind(), start.metadata());
    add(attributes_, start.kind(), start.attributes());
    if (!start.tags().empty()) attributes_["ragstone.tags"] = start.tags();
  }

  void token(const Event& event) {
    if (std::exchange(has_token_, true)) return;
    const std::chrono::duration<double> time = event.time() - began_;
    attributes_["gen_ai.response.time_to_first_chunk"] = time.count();
  }

  void middle(const Event& event) {
    ordered_json attributes = ordered_json::object();
    add(attributes, event.kind(), event.attributes());
    events_.push_back(ordered_json{{"name", name_of(event.phase())},
                                   {"timeUnixNano", nanoseconds(event.wall_time())},
                                   {"attributes", std::move(attributes)}});
  }

  std::string line(const Event& end) {
    add(attributes_, end.kind(), end.attributes());
    ordered_json status = ordered_json{{"code", "OK"}};
    if (end.phase() == EventPhase::error) {
      const bool cancelled = end.cancelled() || !end.error();
      attributes_["error.type"] = cancelled ? "cancelled" : name_of(errc_of(end.error()));
      status = ordered_json{{"code", "ERROR"}, {"message", cancelled ? "cancelled" : message_of(end.error())}};
    }
    // By the steady clock: the wall clock may have been set in between.
    const auto lasted = std::chrono::duration_cast<std::chrono::nanoseconds>(end.time() - began_).count();
    const std::string collection = attributes_.value("db.collection.name", std::string());
    ordered_json span{{"name", telemetry::span_name(end.kind(), end.name(), collection)},
                      {"kind", telemetry::span_kind(end.kind())},
                      {"traceId", to_string(end.trace_id())},
                      {"spanId", span_id(end.run_id())}};
    if (end.parent_run_id() != Hash128()) span["parentSpanId"] = span_id(end.parent_run_id());
    span["startTimeUnixNano"] = nanoseconds(wall_began_);
    span["endTimeUnixNano"] = nanoseconds(wall_began_) + lasted;
    span["attributes"] = std::move(attributes_);
    span["status"] = std::move(status);
    if (!events_.empty()) span["events"] = std::move(events_);
    return span.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  }

 private:
  CallContext::Clock::time_point began_;
  Event::WallClock::time_point wall_began_;
  ordered_json attributes_ = ordered_json::object();
  ordered_json events_ = ordered_json::array();
  bool has_token_ = false;
};

class JsonLinesObserver final : public Observer {
 public:
  explicit JsonLinesObserver(std::function<void(std::string_view)> write) : write_(std::move(write)) {}

 private:
  void on_event(const Event& event) override {
    const std::lock_guard lock(mutex_);
    if (event.phase() == EventPhase::start) {
      open_.insert_or_assign(event.run_id(), Span(event));
      return;
    }
    const auto found = open_.find(event.run_id());
    if (found == open_.end()) return;
    switch (event.phase()) {
      case EventPhase::token:
        found->second.token(event);
        break;
      case EventPhase::end:
      case EventPhase::error: {
        auto span = open_.extract(found);
        write_(span.mapped().line(event));
        break;
      }
      default:
        found->second.middle(event);
    }
  }

  std::mutex mutex_;
  std::function<void(std::string_view)> write_;
  std::unordered_map<Hash128, Span> open_;  // by run
};

}  // namespace

std::shared_ptr<Observer> json_lines_observer(std::function<void(std::string_view)> write) {
  if (!write) throw Error(Errc::invalid_argument, "json_lines_observer: no function to write to");
  return std::make_shared<JsonLinesObserver>(std::move(write));
}

}  // namespace ragstone
