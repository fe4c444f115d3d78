#pragma once

#include <ragstone/http/http_client.hpp>
#include <ragstone/http/provider_profile.hpp>
#include <ragstone/http/rate_gate.hpp>
#include <ragstone/http/retry.hpp>
#include <ragstone/http/secret.hpp>
#include <ragstone/model/chat_model.hpp>
#include <ragstone/model/embedder.hpp>
#include <ragstone/model/reranker.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace ragstone {

class Runtime;

namespace detail {
class ModelServerCore;
}

class ModelServerOptions {
 public:
  ModelServerOptions() = default;
  explicit ModelServerOptions(ProviderProfile provider) : profile(std::move(provider)) {}

  ProviderProfile profile;
  std::string base_url;  ///< Empty: the profile's.
  /// Without one, the variable that the profile names is read, if it is set.
  KeySource key;
  /// Header fields of each request besides those that Ragstone sends: "OpenAI-Organization". Their values are cut out
  /// of errors, as the key is. A key belongs in `key`, with the profile's key_header if it is no bearer token.
  HttpHeaders headers;
  /// Between two pieces of a streamed reply until its first text or reasoning, above 0: reasoning models may think for
  /// long. From then on http.idle_timeout counts. While nothing has come at all it is http.first_byte_timeout, and
  /// http.total_timeout bounds the whole. Comments of a server (": keep-alive") are pieces, before and after.
  std::chrono::milliseconds first_token_timeout{300'000};
  /// A profile that is `local` allows local addresses, whatever is said here.
  HttpOptions http;
  RetryOptions retry;
  /// Texts to embed go in requests of at most a tenth of limits.tokens_per_minute, a longer text alone.
  RateLimits limits;
};

/// A server of OpenAI's kind, or an account there. The models made from it share its connections, limits and retry
/// budget. A cheap handle, thread-safe; the Runtime outlives all of them.
class ModelServer {
 public:
  ModelServer() = default;
  /// Errors: Errc::invalid_argument (base URL; header fields that are Ragstone's own, or the key's).
  ModelServer(Runtime& runtime, ModelServerOptions options);

  const std::shared_ptr<detail::ModelServerCore>& core() const noexcept { return core_; }

 private:
  std::shared_ptr<detail::ModelServerCore> core_;
};

/// A chat model there. Calls for queries go first; a context of Lane::background makes one of ingest. A reply that
/// breaks off is asked for again as long as no piece of it was handed on. With a ReplySchema the reply is checked
/// against it: Errc::rejected if it does not follow, Errc::unsupported for a schema that uses what cannot be checked; a
/// pattern likewise. A server that answers a request for a stream with a whole reply is understood: it is one piece.
/// A key that is refused (401) is asked for once more: if it is another by then, the call is repeated with it.
/// Retries are `retry` events of the call's run. Errors: Errc::unsupported (the profile has no chat), else ChatModel's.
std::shared_ptr<ChatModel> remote_chat_model(ModelServer server, std::string model);

class RemoteEmbedderOptions {
 public:
  RemoteEmbedderOptions() = default;

  /// What models such as E5 want before each text: "query: ", "passage: ". Both become part of the identity's revision:
  /// vectors that were made with others are made anew.
  std::string query_prefix;
  std::string document_prefix;
  /// A JSON object whose members are added to each request, after the profile's embeddings_extra: vLLM's
  /// `{"truncate_prompt_tokens": 8192}`. Part of the identity's revision as well.
  std::string extra;
  /// Whether requests say the identity's dimension. None: as the profile's dimensions_field. To be false for models
  /// that refuse it, such as text-embedding-ada-002.
  std::optional<bool> send_dimensions;
  std::size_t max_batch = 0;        ///< Texts in a request; 0: the profile's.
  std::size_t max_concurrency = 4;  ///< Requests of one embed() at once.
  /// Replies whose vectors have other dimensions than the identity are refused; so are zero vectors, NaN and infinity.
};

/// An embedder there; identity.name is the model's name. Texts go in batches by count, tokens and bytes (prefixes and
/// the escapes of JSON are counted, tokens are estimated); a batch that the server calls too large (413, 422, or 400
/// with OpenAI's code max_tokens_per_request) is sent once more in halves. Errors: Errc::invalid_argument for an empty
/// text, or an `extra` that cannot be added; Errc::unsupported (the profile has no embeddings); Errc::unauthorized (the
/// key), Errc::not_found (the model, or the route), else Embedder's.
std::shared_ptr<Embedder> remote_embedder(ModelServer server, EmbedderIdentity identity,
                                          RemoteEmbedderOptions options = {});

/// The dimension of a model's vectors, by embedding one word. Errors: as Embedder::embed().
Task<std::uint32_t> probe_dimension(ModelServer server, std::string model, CallContext context = {});

class RemoteRerankerOptions {
 public:
  RemoteRerankerOptions() = default;

  /// The server reads no more of a text than so many tokens; 0: what it reads without being told.
  std::uint32_t max_document_tokens = 0;
  /// A JSON object whose members are added to each request, after the profile's rerank_extra: vLLM's
  /// `{"use_activation": false}`, TEI's `{"raw_scores": true}`.
  std::string extra;
  std::size_t max_concurrency = 4;  ///< Requests of one rerank() at once, where its texts need several.
};

/// A reranker there. Scores are the server's, comparable within a model only. Texts are never sent back: the server is
/// told so where it would send them. Errors: Errc::unsupported (the profile has no reranking, or no
/// document_tokens_field where max_document_tokens is set), Errc::invalid_argument for an `extra` that cannot be added,
/// else Reranker's.
std::shared_ptr<Reranker> remote_reranker(ModelServer server, std::string model, RemoteRerankerOptions options = {});

static_assert(!std::is_aggregate_v<ModelServerOptions> && !std::is_aggregate_v<ModelServer> &&
              !std::is_aggregate_v<RemoteEmbedderOptions> && !std::is_aggregate_v<RemoteRerankerOptions>);

}  // namespace ragstone
