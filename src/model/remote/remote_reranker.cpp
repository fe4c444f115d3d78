#include "model/paid_error.hpp"
#include "model/remote/model_server_core.hpp"
#include "model/remote/rerank_wire.hpp"

#include <utility>

namespace ragstone {
namespace {

using detail::ApiCall;
using detail::ModelServerCore;

class RemoteReranker final : public Reranker {
 public:
  RemoteReranker(std::shared_ptr<ModelServerCore> core, std::string model, RemoteRerankerOptions options)
      : core_(std::move(core)), model_(std::move(model)), options_(std::move(options)) {
    detail::rerank_body(core_->profile(), options_, model_, {}, {}, 0);  // refuses what cannot be sent
  }

  std::string_view name() const noexcept override { return model_; }

 private:
  void describe(Metadata& attributes) const override { core_->describe(attributes); }

  Task<Reranking> do_rerank(std::string_view query, std::span<const std::string> texts, std::size_t top_n,
                            CallContext context) override {
    Reranking all;
    UsageSum used;
    try {
      for (std::size_t begin = 0; begin < texts.size();) {
        const auto rest = texts.subspan(begin);
        const std::size_t count = detail::rerank_batch_size(core_->profile(), query, rest);
        const Reranking part = co_await request(query, rest.first(count), top_n, begin, context);
        all.texts.insert(all.texts.end(), part.texts.begin(), part.texts.end());
        used.add(part.usage);
        begin += count;
      }
    } catch (...) {
      std::rethrow_exception(paid(std::current_exception(), used.total()));
    }
    all.usage = used.total();
    co_return all;
  }

  Task<Reranking> request(std::string_view query, std::span<const std::string> texts, std::size_t top_n,
                          std::size_t offset, CallContext context) {
    const ProviderProfile& profile = core_->profile();
    const HttpRequest http =
        core_->request(profile.rerank_path, detail::rerank_body(profile, options_, model_, query, texts, top_n),
                       profile.rerank_base_url);
    std::uint64_t tokens = texts.size() * detail::estimated_tokens(query);
    for (const std::string& text : texts) tokens += detail::estimated_tokens(text);
    ApiCall call(core_, EventKind::rerank, model_, detail::priority_of(context), tokens, context);
    while (true) {
      co_await call.begin();
      std::exception_ptr error;
      try {
        const HttpResponse response = co_await core_->http().fetch(http, context);
        call.saw(response.status, response.headers);
        if (response.status >= 300)
          throw core_->error_of(model_, http, response.status, response.headers, response.body);
        auto reranking = read(http, response.body, texts.size(), offset);
        call.succeeded(reranking.usage);
        co_return reranking;
      } catch (...) {
        error = std::current_exception();
      }
      co_await call.failed(error);
    }
  }

  Reranking read(const HttpRequest& http, std::string_view body, std::size_t count, std::size_t offset) const {
    try {
      return detail::read_reranking(core_->profile().rerank, body, count, offset);
    } catch (const Error&) {
      std::rethrow_exception(core_->told(model_, http, std::current_exception()));
    }
  }

  std::shared_ptr<ModelServerCore> core_;
  std::string model_;
  RemoteRerankerOptions options_;
};

}  // namespace

std::shared_ptr<Reranker> remote_reranker(ModelServer server, std::string model, RemoteRerankerOptions options) {
  if (!server.core()) throw Error(Errc::closed, "remote reranker: the server is an empty handle");
  if (server.core()->profile().rerank == RerankDialect::none)
    throw Error(Errc::unsupported, server.core()->profile().name + " serves no rerankers");
  return std::make_shared<RemoteReranker>(server.core(), std::move(model), std::move(options));
}

}  // namespace ragstone
