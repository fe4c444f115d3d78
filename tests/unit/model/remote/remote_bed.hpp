#pragma once

#include "support/canary.hpp"
#include "support/errors.hpp"
#include "support/http/key_watch.hpp"
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

/// A scripted server and what a client of it needs. Its key may be in nothing that its models tell (S9).
class RemoteBed {
 public:
  explicit RemoteBed(ScriptedServer::Handler handler, const std::string& profile = "openai")
      : server(std::move(handler)), options(provider_profile(profile)) {
    options.base_url = server.url("/v1");
    options.key = KeySource::fixed(Secret(kCanary));
    options.http.addresses = AddressPolicy::with_local();
    options.retry.initial_delay = std::chrono::milliseconds(2);
  }

  ~RemoteBed() {
    for (const std::string& leak : watch.leaks()) ADD_FAILURE() << "the key was told, in a text of " << leak.size();
  }

  ModelServer model_server() { return ModelServer(runtime, options); }
  std::shared_ptr<ChatModel> chat_model() { return chat_model("test-model"); }
  std::shared_ptr<ChatModel> chat_model(const std::string& name) {
    return watch.watched(remote_chat_model(model_server(), name));
  }
  std::shared_ptr<Embedder> embedder(std::uint32_t dimension, RemoteEmbedderOptions embedder_options = {}) {
    EmbedderIdentity identity;
    identity.name = "test-embedder";
    identity.dimension = dimension;
    return watch.watched(remote_embedder(model_server(), identity, std::move(embedder_options)));
  }
  std::shared_ptr<Reranker> reranker(RemoteRerankerOptions reranker_options = {}) {
    return watch.watched(remote_reranker(model_server(), "test-reranker", std::move(reranker_options)));
  }

  KeyWatch watch{kCanary};
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
