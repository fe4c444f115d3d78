#pragma once

#include <ragstone/async/observer.hpp>

#include <functional>
#include <memory>
#include <string_view>

namespace ragstone {

/// The version of OpenTelemetry's GenAI conventions whose names json_lines_observer() uses.
inline constexpr char kTelemetryConventions[] = "1.41.1";

/// Writes each run as one JSON object, without a line end, when it ends: a span of OpenTelemetry (name, kind, traceId,
/// spanId, parentSpanId, startTimeUnixNano, endTimeUnixNano, attributes, status, events for repeated attempts), with
/// the names of its GenAI conventions where there are some, and names that begin with `ragstone.` for the rest. What
/// was asked and answered is no part of it. `write` is called from one thread at a time.
/// Errors: Errc::invalid_argument for no function.
std::shared_ptr<Observer> json_lines_observer(std::function<void(std::string_view)> write);

}  // namespace ragstone
