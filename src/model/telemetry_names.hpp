#pragma once

#include <ragstone/async/event.hpp>

#include <string>
#include <string_view>

/// Ragstone's events in the words of OpenTelemetry: all names in one place, because the conventions are in development.
namespace ragstone::telemetry {

/// `{operation} {object}`: "chat qwen-max"; of a store's run with its collection, "search MediumChunk".
std::string span_name(EventKind kind, std::string_view name, std::string_view collection = {});

/// CLIENT for what is asked of another service, INTERNAL for the rest.
const char* span_kind(EventKind kind) noexcept;

/// Under which name the run's object (a model, a group) goes; empty: it is in the span's name only.
std::string_view object_attribute(EventKind kind) noexcept;

/// What goes under that name: of a store's run the system alone, "sqlite" of "sqlite maintenance".
std::string_view object(EventKind kind, std::string_view name) noexcept;

/// db.operation.name of a store's run: "search" or "commit", or what its name says behind the system's; else empty.
std::string_view store_operation(EventKind kind, std::string_view name) noexcept;

/// gen_ai.operation.name, or empty.
std::string_view operation(EventKind kind) noexcept;

/// The conventions' name of an attribute of ours; with the prefix "ragstone." where they have none.
std::string attribute_name(EventKind kind, std::string_view name);

}  // namespace ragstone::telemetry
