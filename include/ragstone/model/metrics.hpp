#pragma once

#include <ragstone/async/observer.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace ragstone {

/// Measurements of one kind that share their attributes.
class Histogram {
 public:
  Histogram() = default;

  std::string name;                               ///< "gen_ai.client.operation.duration"
  std::string unit;                               ///< "s" or "{token}"
  std::map<std::string, std::string> attributes;  ///< "gen_ai.operation.name": "chat"

  std::uint64_t count = 0;
  double sum = 0;
  double min = 0;
  double max = 0;
  std::vector<double> bounds;          ///< Ascending. Bucket i holds what is above bounds[i - 1] and at most bounds[i].
  std::vector<std::uint64_t> buckets;  ///< One more than bounds: the last has no upper bound.
};

/// Histograms of calls, with the names, units and buckets of OpenTelemetry's conventions (kTelemetryConventions):
///
/// - gen_ai.client.operation.duration, for chat, embeddings, retrieval and whole questions; failures have `error.type`
/// - gen_ai.client.operation.time_to_first_chunk and .time_per_output_chunk, of streamed chats
/// - gen_ai.client.token.usage, by gen_ai.token.type; only what a provider counted
/// - db.client.operation.duration, for a store's reads and writes
///
/// Reranks, cache look-ups and index runs, for which there are no conventions, are ragstone.operation.duration.
///
/// A cheap handle; copies count together. Thread-safe.
///
///     Metrics metrics;
///     auto answer = co_await assistant.ask(question, context.with_observer(metrics.observer()));
///     post_to_collector(metrics.otlp_json("my-service"));
class Metrics {
 public:
  Metrics();

  /// To be added to the contexts of what is to be measured.
  const std::shared_ptr<Observer>& observer() const noexcept { return observer_; }

  /// All that was measured so far, ascending by name, then by attributes.
  std::vector<Histogram> histograms() const;
  /// The same as an ExportMetricsServiceRequest in OTLP's JSON, cumulative since the handle was made: the body of a
  /// POST to a collector's /v1/metrics.
  std::string otlp_json(std::string_view service_name) const;

 private:
  class Counts;

  std::shared_ptr<Counts> counts_;
  std::shared_ptr<Observer> observer_;
};

static_assert(!std::is_aggregate_v<Histogram> && !std::is_aggregate_v<Metrics>);

}  // namespace ragstone
