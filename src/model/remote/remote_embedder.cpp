#include "model/embed_usage.hpp"
#include "model/paid_error.hpp"
#include "model/remote/embeddings_wire.hpp"
#include "model/remote/error_reply.hpp"
#include "model/remote/model_server_core.hpp"

#include <utility>

namespace ragstone {
namespace {

using detail::ApiCall;
using detail::ModelServerCore;

/// The server calls a request too large: OpenAI by a code of its own.
bool is_too_large(const HttpResponse& response) {
  return response.status == 413 || response.status == 422 ||
         (response.status == 400 && detail::error_code(response.body) == "max_tokens_per_request");
}

class RemoteEmbedder final : public Embedder {
 public:
  RemoteEmbedder(std::shared_ptr<ModelServerCore> core, EmbedderIdentity identity, RemoteEmbedderOptions options)
      : core_(std::move(core)), identity_(std::move(identity)), options_(std::move(options)) {
    if (options_.max_batch == 0) options_.max_batch = core_->profile().max_batch;
    add_to_revision("query_prefix", options_.query_prefix);
    add_to_revision("document_prefix", options_.document_prefix);
    add_to_revision("extra", core_->profile().embeddings_extra + options_.extra);
    // Refuses what cannot be sent.
    frame_bytes_ = detail::embeddings_body(core_->profile(), identity_, {}, {}, options_).size();
  }

  const EmbedderIdentity& identity() const noexcept override { return identity_; }
  std::size_t max_batch() const noexcept override { return options_.max_batch; }
  std::size_t batch_size(std::span<const std::string> texts, EmbedRole role) const override {
    return detail::batch_size(core_->profile(), options_.max_batch, frame_bytes_, prefix_of(role), texts);
  }
  std::size_t max_concurrency() const noexcept override { return options_.max_concurrency; }

  /// Of the model's vectors, where the identity says 0.
  Task<std::uint32_t> dimension(CallContext context) {
    const std::vector<std::string> texts(1, "dimension");
    std::vector<float> values;
    UsageSum used;
    co_await request(texts, EmbedRole::query, values, false, used, context);
    co_return static_cast<std::uint32_t>(values.size());
  }

 private:
  bool bounds_calls() const noexcept override { return true; }

  using Texts = std::span<const std::string>;

  void describe(Metadata& attributes) const override {
    core_->describe(attributes);
    attributes.set("encoding_format", Scalar(std::string(core_->profile().base64 ? "base64" : "float")));
  }

  /// Texts with other prefixes, or asked for in another way, have other vectors: stores and caches must not take one
  /// for the other.
  void add_to_revision(const std::string& name, const std::string& prefix) {
    if (prefix.empty()) return;
    if (!identity_.revision.empty()) identity_.revision += ' ';
    identity_.revision += name + '=' + prefix;
  }

  Task<EmbeddedBatch> do_embed(Texts texts, EmbedRole role, CallContext context) override {
    for (const std::string& text : texts)
      if (text.empty()) throw Error(Errc::invalid_argument, who() + "an empty text cannot be embedded");
    EmbeddedBatch batch;
    UsageSum used;
    try {
      while (!texts.empty()) {
        const std::size_t count = batch_size(texts, role);
        co_await embed_or_halve(texts.first(count), role, batch.values, used, context);
        texts = texts.subspan(count);
      }
    } catch (...) {
      std::rethrow_exception(paid(std::current_exception(), used.total()));
    }
    batch.usage = used.total();
    co_return batch;
  }

  Task<void> embed_or_halve(Texts texts, EmbedRole role, std::vector<float>& values, UsageSum& used,
                            CallContext context) {
    const bool may_halve = texts.size() > 1;
    if (co_await request(texts, role, values, may_halve, used, context)) co_return;
    const std::size_t half = (texts.size() + 1) / 2;
    co_await request(texts.first(half), role, values, false, used, context);
    co_await request(texts.subspan(half), role, values, false, used, context);
  }

  /// False if the server calls the request too large, and it may be halved.
  Task<bool> request(Texts texts, EmbedRole role, std::vector<float>& values, bool may_halve, UsageSum& used,
                     CallContext context) {
    std::string body = co_await body_of(texts, role, context);
    HttpRequest http = core_->request(core_->profile().embeddings_path, std::move(body));
    std::uint64_t tokens = 0;
    for (const std::string& text : texts) tokens += detail::estimated_tokens(text);
    const auto priority = role == EmbedRole::query ? detail::priority_of(context) : CallPriority::ingest;
    ApiCall call(core_, EventKind::embed, identity_.name, priority, tokens, context);
    while (true) {
      co_await call.begin(http);
      const CallContext bounded = context.in_turn();
      std::exception_ptr error;
      try {
        HttpResponse response = co_await core_->http().fetch(http, bounded);
        call.saw(response.status, response.headers);
        if (may_halve && is_too_large(response)) {
          call.succeeded(Usage());
          co_return false;
        }
        if (response.status >= 300)
          co_await core_->refuse(identity_.name, http, response.status, response.headers, std::move(response.body),
                                 bounded);
        EmbeddedBatch rows = co_await read(http, std::move(response.body), texts.size(), bounded);
        call.succeeded(rows.usage);
        used.add(usage_or_estimate(rows.usage, context, texts));
        add_rows(std::move(rows.values), values);
        co_return true;
      } catch (...) {
        error = std::current_exception();
      }
      co_await call.failed(error);
    }
  }

  Task<std::string> body_of(Texts texts, EmbedRole role, CallContext context) const {
    std::size_t bytes = frame_bytes_;
    for (const std::string& text : texts) bytes += prefix_of(role).size() + text.size();
    if (bytes < ModelServerCore::kLargeBytes)
      co_return detail::embeddings_body(core_->profile(), identity_, texts, prefix_of(role), options_);
    Work<std::string> work;
    work.set([core = core_, identity = identity_, options = options_, prefix = prefix_of(role),
              own = std::vector<std::string>(texts.begin(), texts.end())](const StopToken&) {
      return detail::embeddings_body(core->profile(), identity, own, prefix, options);
    });
    co_return co_await core_->carry_out(bytes, std::move(work), context);
  }

  Task<EmbeddedBatch> read(const HttpRequest& http, std::string body, std::size_t count, CallContext context) const {
    const std::size_t bytes = body.size();
    Work<EmbeddedBatch> work;
    work.set([body = std::move(body), count, dimension = identity_.dimension](const StopToken&) mutable {
      EmbeddedBatch rows;
      rows.usage = detail::read_embeddings(body, count, dimension, rows.values);
      return rows;
    });
    try {
      co_return co_await core_->carry_out(bytes, std::move(work), context);
    } catch (const Error&) {
      std::rethrow_exception(core_->told(identity_.name, http, std::current_exception()));
    }
  }

  static void add_rows(std::vector<float> rows, std::vector<float>& values) {
    if (values.empty()) {
      values = std::move(rows);
    } else {
      values.insert(values.end(), rows.begin(), rows.end());
    }
  }

  const std::string& prefix_of(EmbedRole role) const noexcept {
    return role == EmbedRole::query ? options_.query_prefix : options_.document_prefix;
  }
  std::string who() const { return core_->profile().name + " '" + identity_.name + "': "; }

  std::shared_ptr<ModelServerCore> core_;
  EmbedderIdentity identity_;
  RemoteEmbedderOptions options_;
  std::size_t frame_bytes_ = 0;  ///< Of a request without texts.
};

void require_embeddings(const ModelServer& server) {
  if (!server.core()) throw Error(Errc::closed, "remote embedder: the server is an empty handle");
  if (server.core()->profile().embeddings_path.empty())
    throw Error(Errc::unsupported, server.core()->profile().name + " serves no embeddings");
}

Task<std::uint32_t> probe(ModelServer server, std::string model, CallContext context) {
  require_embeddings(server);
  EmbedderIdentity identity;
  identity.name = std::move(model);
  const RemoteEmbedderOptions options;
  RemoteEmbedder embedder(server.core(), identity, options);
  co_return co_await embedder.dimension(context);
}

}  // namespace

std::shared_ptr<Embedder> remote_embedder(ModelServer server, EmbedderIdentity identity,
                                          RemoteEmbedderOptions options) {
  require_embeddings(server);
  return std::make_shared<RemoteEmbedder>(server.core(), std::move(identity), std::move(options));
}

Task<std::uint32_t> probe_dimension(ModelServer server, std::string model, CallContext context) {
  return probe(std::move(server), std::move(model), std::move(context));
}

}  // namespace ragstone
