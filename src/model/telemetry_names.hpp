#pragma once

#include <ragstone/async/event.hpp>

#include <string>
#include <string_view>

/// Ragstone's events in the words of OpenTelemetry: all names in one place, because the conventions are in development.
namespace ragstone::telemetry {

/// `{operation} {object}`: "chat qwen-max".
std::string span_name(EventKind kind, std::string_view object);

/// CLIENT for what is asked of another service, INTERNAL for the rest.
const char* span_kind(EventKind kind) noexcept;

/// Under which name the run's object (a model, a group) goes; empty: it is in the span's name only.
std::string_view object_attribute(EventKind kind) noexcept;

/// gen_ai.operation.name, or empty.
std::string_view operation(EventKind kind) noexcept;

/// The conventions' name of an attribute of ours; with the prefix "ragstone." where they have none.
std::string attribute_name(EventKind kind, std::string_view name);

}  // namespace ragstone::telemetry
