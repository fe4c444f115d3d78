#include "model/embed_usage.hpp"
#include "model/paid_error.hpp"
#include "model/remote/model_server_core.hpp"
#include "model/remote/rerank_wire.hpp"
#include <ragstone/async/gather.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace ragstone {
namespace {

using detail::ApiCall;
using detail::ModelServerCore;

class RemoteReranker final : public Reranker {
 public:
  RemoteReranker(std::shared_ptr<ModelServerCore> core, std::string model, RemoteRerankerOptions options)
      : core_(std::move(core)), model_(std::move(model)), options_(std::move(options)) {
    // Refuses what cannot be sent.
    frame_bytes_ = detail::rerank_body(core_->profile(), options_, model_, {}, {}, 0).size();
  }

  std::string_view name() const noexcept override { return model_; }

 private:
  void describe(Metadata& attributes) const override { core_->describe(attributes); }

  using Texts = std::span<const std::string>;

  Task<Reranking> do_rerank(std::string_view query, Texts texts, std::size_t top_n, CallContext context) override {
    UsageSum used;
    std::vector<Task<Reranking>> calls;
    for (std::size_t begin = 0; begin < texts.size();) {
      const Texts rest = texts.subspan(begin);
      const std::size_t count = detail::rerank_batch_size(core_->profile(), frame_bytes_, query, rest);
      calls.push_back(request(query, rest.first(count), top_n, begin, used, context));
      begin += count;
    }
    GatherOptions gathering;
    gathering.limit = std::max<std::size_t>(1, options_.max_concurrency);
    Reranking all;
    try {
      const std::vector<Reranking> parts = co_await gather(std::move(calls), gathering);
      for (const Reranking& part : parts) all.texts.insert(all.texts.end(), part.texts.begin(), part.texts.end());
    } catch (...) {
      std::rethrow_exception(paid(std::current_exception(), used.total()));
    }
    all.usage = used.total();
    co_return all;
  }

  Task<Reranking> request(std::string_view query, Texts texts, std::size_t top_n, std::size_t offset, UsageSum& used,
                          CallContext context) {
    const ProviderProfile& profile = core_->profile();
    std::string body = co_await body_of(query, texts, top_n, context);
    HttpRequest http = core_->request(profile.rerank_path, std::move(body), profile.rerank_base_url);
    std::uint64_t tokens = texts.size() * detail::estimated_tokens(query);
    for (const std::string& text : texts) tokens += detail::estimated_tokens(text);
    ApiCall call(core_, EventKind::rerank, model_, detail::priority_of(context), tokens, context);
    while (true) {
      co_await call.begin(http);
      std::exception_ptr error;
      try {
        HttpResponse response = co_await core_->http().fetch(http, context);
        call.saw(response.status, response.headers);
        if (response.status >= 300)
          co_await core_->refuse(model_, http, response.status, response.headers, std::move(response.body), context);
        Reranking reranking = co_await read(http, std::move(response.body), texts.size(), top_n, offset, context);
        call.succeeded(reranking.usage);
        used.add(usage_or_estimate(reranking.usage, context, query, texts));
        co_return reranking;
      } catch (...) {
        error = std::current_exception();
      }
      co_await call.failed(error);
    }
  }

  Task<std::string> body_of(std::string_view query, Texts texts, std::size_t top_n, CallContext context) const {
    std::size_t bytes = frame_bytes_ + query.size();
    for (const std::string& text : texts) bytes += text.size();
    if (bytes < ModelServerCore::kLargeBytes)
      co_return detail::rerank_body(core_->profile(), options_, model_, query, texts, top_n);
    Work<std::string> work;
    work.set([core = core_, options = options_, model = model_, asked = std::string(query), top_n,
              own = std::vector<std::string>(texts.begin(), texts.end())](const StopToken&) {
      return detail::rerank_body(core->profile(), options, model, asked, own, top_n);
    });
    co_return co_await core_->carry_out(bytes, std::move(work), context);
  }

  Task<Reranking> read(const HttpRequest& http, std::string body, std::size_t count, std::size_t top_n,
                       std::size_t offset, CallContext context) const {
    const std::size_t bytes = body.size();
    Work<Reranking> work;
    work.set([body = std::move(body), dialect = core_->profile().rerank, count, top_n, offset](const StopToken&) {
      return detail::read_reranking(dialect, body, count, top_n, offset);
    });
    try {
      co_return co_await core_->carry_out(bytes, std::move(work), context);
    } catch (const Error&) {
      std::rethrow_exception(core_->told(model_, http, std::current_exception()));
    }
  }

  std::shared_ptr<ModelServerCore> core_;
  std::string model_;
  RemoteRerankerOptions options_;
  std::size_t frame_bytes_ = 0;  ///< Of a request without query and texts.
};

}  // namespace

std::shared_ptr<Reranker> remote_reranker(ModelServer server, std::string model, RemoteRerankerOptions options) {
  if (!server.core()) throw Error(Errc::closed, "remote reranker: the server is an empty handle");
  if (server.core()->profile().rerank == RerankDialect::none)
    throw Error(Errc::unsupported, server.core()->profile().name + " serves no rerankers");
  return std::make_shared<RemoteReranker>(server.core(), std::move(model), std::move(options));
}

}  // namespace ragstone
