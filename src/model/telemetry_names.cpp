#include "model/telemetry_names.hpp"

#include <algorithm>
#include <iterator>

namespace ragstone::telemetry {
namespace {

struct Name {
  std::string_view ours;
  std::string_view theirs;
};

constexpr Name kModelNames[] = {{"cache_read_tokens", "gen_ai.usage.cache_read.input_tokens"},
                                {"cache_write_tokens", "gen_ai.usage.cache_creation.input_tokens"},
                                {"dimension", "gen_ai.embeddings.dimension.count"},
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
                                {"stream", "gen_ai.request.stream"},
                                {"temperature", "gen_ai.request.temperature"},
                                {"top_k", "gen_ai.request.top_k"},
                                {"top_p", "gen_ai.request.top_p"}};

bool is_store(EventKind kind) { return kind == EventKind::store_read || kind == EventKind::store_write; }

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

std::string span_name(EventKind kind, std::string_view object) {
  std::string name(operation(kind));
  if (name.empty()) name = name_of(kind);
  if (!object.empty()) name.append(" ").append(object);
  return name;
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

std::string attribute_name(EventKind kind, std::string_view name) {
  const auto* found = std::find_if(std::begin(kModelNames), std::end(kModelNames),
                                   [name](const Name& entry) { return entry.ours == name; });
  if (found != std::end(kModelNames)) return std::string(found->theirs);
  return "ragstone." + std::string(name_of(kind)) + "." + std::string(name);
}

}  // namespace ragstone::telemetry
