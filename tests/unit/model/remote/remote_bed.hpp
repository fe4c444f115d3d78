#pragma once

#include "support/errors.hpp"
#include "support/http/scripted_server.hpp"
#include "support/recording_observer.hpp"
#include <ragstone/async/gather.hpp>
#include <ragstone/async/runtime.hpp>
#include <ragstone/model/model_server.hpp>

#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace ragstone::test {

/// The key that must appear nowhere but on the wire.
inline constexpr const char* kCanary = "canary-key-93f1";

/// A scripted server and what a client of it needs.
class RemoteBed {
 public:
  explicit RemoteBed(ScriptedServer::Handler handler, const std::string& profile = "openai")
      : server(std::move(handler)), options(provider_profile(profile)) {
    options.base_url = server.url("/v1");
    options.key = KeySource::fixed(Secret(kCanary));
    options.http.addresses = AddressPolicy::with_local();
    options.retry.initial_delay = std::chrono::milliseconds(2);
  }

  ModelServer model_server() { return ModelServer(runtime, options); }
  std::shared_ptr<ChatModel> chat_model() { return remote_chat_model(model_server(), "test-model"); }
  std::shared_ptr<Embedder> embedder(std::uint32_t dimension, RemoteEmbedderOptions embedder_options = {}) {
    EmbedderIdentity identity;
    identity.name = "test-embedder";
    identity.dimension = dimension;
    return remote_embedder(model_server(), identity, std::move(embedder_options));
  }
  std::shared_ptr<Reranker> reranker() { return remote_reranker(model_server(), "test-reranker"); }

  ScriptedServer server;
  ModelServerOptions options;
  Runtime runtime;
};

inline ChatRequest question(const std::string& text = "你好?") {
  ChatRequest request;
  request.messages.emplace_back(ChatRole::user, text);
  return request;
}

}  // namespace ragstone::test
