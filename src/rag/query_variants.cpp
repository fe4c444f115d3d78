#include "rag/fused_hits.hpp"
#include "rag/model_lines.hpp"
#include "store/run_search.hpp"
#include <ragstone/async/gather.hpp>
#include <ragstone/base/error.hpp>

#include <utility>

namespace ragstone {
namespace {

constexpr char kVariantsInstruction[] =
    "Rewrite the user's search query in other words, so that a search finds what the first wording misses. Keep its "
    "meaning and its language. Reply with one query a line and nothing else; number of queries: {count}.";
constexpr char kHydeInstruction[] =
    "Write a short passage, as a textbook or manual would have it, that answers the user's question. Use the language "
    "of the question. If you do not know the answer, write what such a passage would look like. Reply with the passage "
    "alone.";

/// Asks with several texts that a model made of the query.
class VariantSource : public HitSource {
 protected:
  VariantSource(std::string name, std::shared_ptr<HitSource> source, std::shared_ptr<ChatModel> model,
                QueryVariantOptions options)
      : HitSource(std::move(name)),
        model_(std::move(model)),
        options_(std::move(options)),
        source_(std::move(source)) {}

  ChatRequest request(const char* instruction, std::string question) const {
    ChatRequest request;
    std::string told = options_.instruction.empty() ? instruction : options_.instruction;
    constexpr std::string_view kCount = "{count}";
    if (const std::size_t at = told.find(kCount); at != std::string::npos)
      told.replace(at, kCount.size(), std::to_string(options_.variants));
    request.messages.emplace_back(ChatRole::system, std::move(told));
    request.messages.emplace_back(ChatRole::user, std::move(question));
    return request;
  }

  const std::shared_ptr<ChatModel> model_;
  const QueryVariantOptions options_;

 private:
  virtual Task<std::vector<std::string>> texts_for(std::string question, CallContext context) = 0;

  Task<Retrieval> do_retrieve(Query query, CallContext context) override {
    std::vector<MemberFailure> failures;
    std::vector<std::string> texts;
    std::exception_ptr error;
    try {
      texts = co_await texts_for(query.text, context);
    } catch (...) {
      error = std::current_exception();
    }
    if (error && !may_degrade(error, options_.on_failure, context)) std::rethrow_exception(error);
    if (error) failures.push_back(failure_of(name(), error));
    if (options_.include_original || error) texts.insert(texts.begin(), query.text);

    std::vector<Task<Retrieval>> tasks;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      names.push_back(texts[i] == query.text ? "query" : "variant_" + std::to_string(i + 1));
      Query variant = query;
      variant.text = std::move(texts[i]);
      tasks.push_back(source_->retrieve(std::move(variant), context.with_tag(names.back())));
    }
    std::vector<Outcome<Retrieval>> outcomes = co_await gather_outcomes(std::move(tasks));
    for (const auto& outcome : outcomes)
      if (outcome.error() && !may_degrade(outcome.error(), options_.on_failure, context))
        std::rethrow_exception(outcome.error());
    const std::vector<double> equal_weights;
    std::vector<RankedHits> rankings =
        rankings_of(std::move(outcomes), names, equal_weights, options_.on_failure, failures);
    Retrieval fused = fuse_hits(std::move(rankings), options_.rrf_k, query.top_k.value_or(options_.top_k));
    fused.failures.insert(fused.failures.begin(), failures.begin(), failures.end());
    co_return fused;
  }

  const std::shared_ptr<HitSource> source_;
};

class MultiQuery final : public VariantSource {
 public:
  MultiQuery(std::shared_ptr<HitSource> source, std::shared_ptr<ChatModel> model, QueryVariantOptions options)
      : VariantSource("multi_query", std::move(source), std::move(model), std::move(options)) {}

 private:
  Task<std::vector<std::string>> texts_for(std::string question, CallContext context) override {
    ChatRequest asked = request(kVariantsInstruction, std::move(question));
    const ChatReply reply = co_await model_->chat(std::move(asked), std::move(context));
    std::vector<std::string> lines = model_lines(reply.text, options_.variants);
    if (lines.empty())
      throw Error(Errc::rejected, "multi_query: the model '" + model_->name() + "' wrote no other wording");
    co_return lines;
  }
};

class Hyde final : public VariantSource {
 public:
  Hyde(std::shared_ptr<HitSource> source, std::shared_ptr<ChatModel> model, QueryVariantOptions options)
      : VariantSource("hyde", std::move(source), std::move(model), std::move(options)) {}

 private:
  Task<std::vector<std::string>> texts_for(std::string question, CallContext context) override {
    std::vector<Task<ChatReply>> calls;
    for (std::size_t i = 0; i < options_.variants; ++i) {
      ChatRequest asked = request(kHydeInstruction, question);
      if (options_.variants > 1) asked.seed = i;  // otherwise a cache would give the same passage each time
      calls.push_back(model_->chat(std::move(asked), context));
    }
    std::vector<ChatReply> replies = co_await gather(std::move(calls));
    std::vector<std::string> passages;
    for (ChatReply& reply : replies)
      if (!reply.text.empty()) passages.push_back(std::move(reply.text));
    if (passages.empty()) throw Error(Errc::rejected, "hyde: the model '" + model_->name() + "' wrote no passage");
    co_return passages;
  }
};

void check(const char* step, const std::shared_ptr<HitSource>& source, const std::shared_ptr<ChatModel>& model,
           const QueryVariantOptions& options) {
  const std::string who(step);
  if (!source || !model) throw Error(Errc::invalid_argument, who + ": needs a source and a model");
  if (options.variants == 0 || options.variants > 16)
    throw Error(Errc::invalid_argument, who + ": 1 to 16 variants, not " + std::to_string(options.variants));
  if (!(options.rrf_k > 0) || options.top_k == 0)
    throw Error(Errc::invalid_argument, who + ": rrf_k must be above 0, top_k at least 1");
}

}  // namespace

std::shared_ptr<HitSource> multi_query(std::shared_ptr<HitSource> source, std::shared_ptr<ChatModel> model,
                                       QueryVariantOptions options) {
  check("multi_query", source, model, options);
  return std::make_shared<MultiQuery>(std::move(source), std::move(model), std::move(options));
}

std::shared_ptr<HitSource> hyde(std::shared_ptr<HitSource> source, std::shared_ptr<ChatModel> model,
                                QueryVariantOptions options) {
  check("hyde", source, model, options);
  return std::make_shared<Hyde>(std::move(source), std::move(model), std::move(options));
}

}  // namespace ragstone
