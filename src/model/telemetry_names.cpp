#include "model/telemetry_names.hpp"

#include <algorithm>
#include <cstddef>
#include <span>

namespace ragstone::telemetry {
namespace {

struct Name {
  std::string_view ours;
  std::string_view theirs;
};

constexpr Name kModelNames[] = {{"cache_read_tokens", "gen_ai.usage.cache_read.input_tokens"},
                                {"cache_write_tokens", "gen_ai.usage.cache_creation.input_tokens"},
                                {"dimension", "gen_ai.embeddings.dimension.count"},
                                {"encoding_format", "gen_ai.request.encoding_formats"},
                                {"finish_reason", "gen_ai.response.finish_reasons"},
                                {"id", "gen_ai.response.id"},
                                {"input_tokens", "gen_ai.usage.input_tokens"},
                                {"max_tokens", "gen_ai.request.max_tokens"},
                                {"model", "gen_ai.response.model"},
                                {"output_type", "gen_ai.output.type"},
                                {"output_tokens", "gen_ai.usage.output_tokens"},
                                {"provider", "gen_ai.provider.name"},
                                {"reasoning_tokens", "gen_ai.usage.reasoning.output_tokens"},
                                {"seed", "gen_ai.request.seed"},
                                {"server_address", "server.address"},
                                {"server_port", "server.port"},
                                {"session", "gen_ai.conversation.id"},
                                {"stop_sequences", "gen_ai.request.stop_sequences"},
                                {"stream", "gen_ai.request.stream"},
                                {"temperature", "gen_ai.request.temperature"},
                                {"top_k", "gen_ai.request.top_k"},
                                {"top_p", "gen_ai.request.top_p"}};

bool is_store(EventKind kind) { return kind == EventKind::store_read || kind == EventKind::store_write; }

constexpr Name kStoreNames[] = {{"hits", "db.response.returned_rows"},
                                {"queries", "db.operation.batch.size"},
                                {"sources", "db.operation.batch.size"},
                                {"group", "db.collection.name"}};

std::string_view found(std::span<const Name> names, std::string_view name) {
  const auto place = std::ranges::find(names, name, &Name::ours);
  return place == names.end() ? std::string_view() : place->theirs;
}

}  // namespace

std::string_view operation(EventKind kind) noexcept {
  switch (kind) {
    case EventKind::chat:
      return "chat";
    case EventKind::embed:
      return "embeddings";
    case EventKind::retrieve:
      return "retrieval";
    case EventKind::query:
      return "invoke_workflow";
    case EventKind::tool:
      return "execute_tool";
    default:
      return {};
  }
}

std::string span_name(EventKind kind, std::string_view name, std::string_view collection) {
  std::string span(is_store(kind) ? store_operation(kind, name) : operation(kind));
  if (span.empty()) span = name_of(kind);
  const std::string_view about = collection.empty() ? object(kind, name) : collection;
  if (!about.empty()) span.append(" ").append(about);
  return span;
}

const char* span_kind(EventKind kind) noexcept {
  const bool client =
      kind == EventKind::chat || kind == EventKind::embed || kind == EventKind::rerank || is_store(kind);
  return client ? "CLIENT" : "INTERNAL";
}

std::string_view object_attribute(EventKind kind) noexcept {
  switch (kind) {
    case EventKind::chat:
    case EventKind::embed:
    case EventKind::rerank:
      return "gen_ai.request.model";
    case EventKind::retrieve:
      return "gen_ai.data_source.id";
    case EventKind::query:
      return "gen_ai.workflow.name";
    case EventKind::tool:
      return "gen_ai.tool.name";
    case EventKind::store_read:
    case EventKind::store_write:
      return "db.system.name";
    default:
      return {};
  }
}

std::string_view object(EventKind kind, std::string_view name) noexcept {
  return is_store(kind) ? name.substr(0, name.find(' ')) : name;
}

std::string_view store_operation(EventKind kind, std::string_view name) noexcept {
  if (!is_store(kind)) return {};
  const std::size_t space = name.find(' ');
  if (space != name.npos) return name.substr(space + 1);
  return kind == EventKind::store_read ? "search" : "commit";
}

std::string attribute_name(EventKind kind, std::string_view name) {
  const std::string_view theirs = is_store(kind) ? found(kStoreNames, name) : found(kModelNames, name);
  if (!theirs.empty()) return std::string(theirs);
  return "ragstone." + std::string(name_of(kind)) + "." + std::string(name);
}

}  // namespace ragstone::telemetry
