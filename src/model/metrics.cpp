#include "model/telemetry_names.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/model/json_lines.hpp>
#include <ragstone/model/metrics.hpp>
#include <ragstone/model/usage.hpp>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <unordered_map>
#include <utility>

#include <nlohmann/json.hpp>

namespace ragstone {
namespace {

using nlohmann::ordered_json;
using Attributes = std::map<std::string, std::string>;

std::vector<double> powers(double first, double factor, int count) {
  std::vector<double> bounds;
  for (int i = 0; i < count; ++i, first *= factor) bounds.push_back(first);
  return bounds;
}

// The conventions' bucket bounds.
const std::vector<double>& seconds_bounds() {
  static const std::vector<double> bounds = powers(0.01, 2, 14);
  return bounds;
}
const std::vector<double>& token_bounds() {
  static const std::vector<double> bounds = powers(1, 4, 14);
  return bounds;
}
const std::vector<double>& database_bounds() {
  static const std::vector<double> bounds = {0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10};
  return bounds;
}

bool is_store(EventKind kind) { return kind == EventKind::store_read || kind == EventKind::store_write; }

double seconds(CallContext::Clock::duration time) { return std::chrono::duration<double>(time).count(); }

std::int64_t nanoseconds(Event::WallClock::time_point time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

std::string text_of(const Scalar& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  const auto* number = std::get_if<std::int64_t>(&value);
  return number != nullptr ? std::to_string(*number) : std::string();
}

ordered_json keys_and_values(const Attributes& attributes) {
  ordered_json list = ordered_json::array();
  for (const auto& [key, value] : attributes)
    list.push_back(ordered_json{{"key", key}, {"value", ordered_json{{"stringValue", value}}}});
  return list;
}

}  // namespace

class Metrics::Counts final : public Observer {
 public:
  std::vector<Histogram> histograms() const {
    const std::lock_guard lock(mutex_);
    std::vector<Histogram> all;
    for (const auto& [key, histogram] : histograms_) all.push_back(histogram);
    return all;
  }
  Event::WallClock::time_point began() const noexcept { return began_; }

 private:
  class Run {
   public:
    CallContext::Clock::time_point began;
    CallContext::Clock::time_point last_token;
    std::uint64_t tokens = 0;
    Attributes server;
  };

  void on_event(const Event& event) override {
    const std::lock_guard lock(mutex_);
    if (event.phase() == EventPhase::start) {
      Run run;
      run.began = event.time();
      for (const char* name : {"provider", "server_address", "server_port"})
        if (const Scalar* value = event.attributes().find(name))
          run.server[telemetry::attribute_name(event.kind(), name)] = text_of(*value);
      open_.insert_or_assign(event.run_id(), run);
      return;
    }
    const auto found = open_.find(event.run_id());
    if (found == open_.end()) return;
    if (event.phase() == EventPhase::token) {
      add_token(found->second, event);
    } else if (event.phase() == EventPhase::end || event.phase() == EventPhase::error) {
      add_end(found->second, event);
      open_.erase(found);
    }
  }

  void add_token(Run& run, const Event& event) {
    const bool first = run.tokens++ == 0;
    const auto since = first ? run.began : run.last_token;
    run.last_token = event.time();
    add(first ? "gen_ai.client.operation.time_to_first_chunk" : "gen_ai.client.operation.time_per_output_chunk", "s",
        seconds_bounds(), attributes_of(run, event), seconds(event.time() - since));
  }

  void add_end(const Run& run, const Event& event) {
    Attributes attributes = attributes_of(run, event);
    const Usage usage = usage_of(event.attributes());
    if (usage.source() == UsageSource::provider && !usage.partial) {
      add_tokens(attributes, "input", usage.input);
      add_tokens(attributes, "output", usage.output);
    }
    if (event.phase() == EventPhase::error) {
      const bool cancelled = event.cancelled() || !event.error();
      attributes["error.type"] = cancelled ? "cancelled" : name_of(errc_of(event.error()));
    }
    const double time = seconds(event.time() - run.began);
    if (is_store(event.kind())) {
      add("db.client.operation.duration", "s", database_bounds(), std::move(attributes), time);
    } else if (!telemetry::operation(event.kind()).empty()) {
      add("gen_ai.client.operation.duration", "s", seconds_bounds(), std::move(attributes), time);
    } else {
      add("ragstone.operation.duration", "s", seconds_bounds(), std::move(attributes), time);
    }
  }

  void add_tokens(Attributes attributes, const char* type, const std::optional<std::uint64_t>& count) {
    if (!count) return;
    attributes["gen_ai.token.type"] = type;
    add("gen_ai.client.token.usage", "{token}", token_bounds(), std::move(attributes), static_cast<double>(*count));
  }

  static Attributes attributes_of(const Run& run, const Event& event) {
    Attributes attributes = run.server;
    if (is_store(event.kind())) {
      attributes["db.operation.name"] = telemetry::store_operation(event.kind(), event.name());
    } else if (const auto operation = telemetry::operation(event.kind()); !operation.empty()) {
      attributes["gen_ai.operation.name"] = operation;
    } else {
      attributes["ragstone.operation.name"] = name_of(event.kind());
    }
    const auto object = telemetry::object_attribute(event.kind());
    if (!object.empty() && !event.name().empty())
      attributes[std::string(object)] = telemetry::object(event.kind(), event.name());
    if (const auto model = event.attributes().text("model")) attributes["gen_ai.response.model"] = *model;
    return attributes;
  }

  void add(const char* name, const char* unit, const std::vector<double>& bounds, Attributes attributes, double value) {
    const auto [place, is_new] = histograms_.try_emplace({name, std::move(attributes)});
    Histogram& histogram = place->second;
    if (is_new) {
      histogram.name = name;
      histogram.unit = unit;
      histogram.attributes = place->first.second;
      histogram.bounds = bounds;
      histogram.buckets.resize(bounds.size() + 1);
      histogram.min = histogram.max = value;
    }
    ++histogram.count;
    histogram.sum += value;
    histogram.min = std::min(histogram.min, value);
    histogram.max = std::max(histogram.max, value);
    ++histogram.buckets[static_cast<std::size_t>(std::ranges::lower_bound(bounds, value) - bounds.begin())];
  }

  const Event::WallClock::time_point began_ = Event::WallClock::now();
  mutable std::mutex mutex_;
  std::unordered_map<Hash128, Run> open_;
  std::map<std::pair<std::string, Attributes>, Histogram> histograms_;
};

Metrics::Metrics() : counts_(std::make_shared<Counts>()), observer_(counts_) {}

std::vector<Histogram> Metrics::histograms() const { return counts_->histograms(); }

std::string Metrics::otlp_json(std::string_view service_name) const {
  const auto begin = std::to_string(nanoseconds(counts_->began()));
  const auto end = std::to_string(nanoseconds(Event::WallClock::now()));
  ordered_json metrics = ordered_json::array();
  for (const Histogram& histogram : counts_->histograms()) {
    if (metrics.empty() || metrics.back()["name"] != histogram.name) {
      ordered_json metric{{"name", histogram.name}, {"unit", histogram.unit}};
      metric["histogram"]["aggregationTemporality"] = 2;  // cumulative
      metric["histogram"]["dataPoints"] = ordered_json::array();
      metrics.push_back(std::move(metric));
    }
    // 64-bit integers are strings in the JSON of protocol buffers.
    ordered_json buckets = ordered_json::array();
    for (const std::uint64_t bucket : histogram.buckets) buckets.push_back(std::to_string(bucket));
    ordered_json point{{"attributes", keys_and_values(histogram.attributes)},
                       {"startTimeUnixNano", begin},
                       {"timeUnixNano", end},
                       {"count", std::to_string(histogram.count)},
                       {"sum", histogram.sum},
                       {"min", histogram.min},
                       {"max", histogram.max},
                       {"bucketCounts", std::move(buckets)},
                       {"explicitBounds", histogram.bounds}};
    metrics.back()["histogram"]["dataPoints"].push_back(std::move(point));
  }
  Attributes service;
  service["service.name"] = service_name;
  ordered_json scope{{"name", "ragstone"}, {"attributes", ordered_json::array()}};
  Attributes conventions;
  conventions["ragstone.semantic_conventions"] = kTelemetryConventions;
  scope["attributes"] = keys_and_values(conventions);
  ordered_json scope_metrics{{"scope", std::move(scope)}, {"metrics", std::move(metrics)}};
  ordered_json resource;
  resource["resource"]["attributes"] = keys_and_values(service);
  resource["scopeMetrics"] = ordered_json::array({std::move(scope_metrics)});
  ordered_json request;
  request["resourceMetrics"] = ordered_json::array({std::move(resource)});
  return request.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace ragstone
