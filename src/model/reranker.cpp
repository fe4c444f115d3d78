#include "model/embed_usage.hpp"
#include "model/paid_error.hpp"
#include <ragstone/async/deadline.hpp>
#include <ragstone/async/run_scope.hpp>
#include <ragstone/base/error.hpp>
#include <ragstone/model/reranker.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace ragstone {
namespace {

void check(std::string_view name, const std::vector<RankedText>& ranked, std::size_t texts) {
  const std::string who = "reranker '" + std::string(name) + "' ";
  std::vector<bool> seen(texts);
  for (const RankedText& text : ranked) {
    if (text.index >= texts)
      throw Error(Errc::rejected,
                  who + "returned index " + std::to_string(text.index) + " for " + std::to_string(texts) + " texts");
    if (seen[text.index]) throw Error(Errc::rejected, who + "returned text " + std::to_string(text.index) + " twice");
    seen[text.index] = true;
    if (text.score.has_value() != ranked.front().score.has_value())
      throw Error(Errc::rejected, who + "gave scores to some texts only");
    if (text.score && !std::isfinite(*text.score))
      throw Error(Errc::rejected, who + "gave text " + std::to_string(text.index) + " a score that is not finite");
  }
}

bool better(const RankedText& a, const RankedText& b) {
  return *a.score != *b.score ? *a.score > *b.score : a.index < b.index;
}

Metadata attribute(const CallContext& context, std::string name, std::size_t value) {
  Metadata attributes;
  if (context.observed()) attributes.set(std::move(name), static_cast<std::int64_t>(value));
  return attributes;
}

}  // namespace

void Reranker::describe(Metadata&) const {}

Task<std::vector<RankedText>> Reranker::rerank(std::string query, std::vector<std::string> texts, std::size_t top_n,
                                               CallContext context) {
  if (top_n == 0) throw Error(Errc::invalid_argument, "rerank: top_n is 0; ask for at least one text");
  std::vector<RankedText> ranked;
  if (texts.empty()) co_return ranked;

  UsageSum used;
  const CallContext observed = emits_runs() ? context : context.without_observers();
  Metadata start = attribute(observed, "texts", texts.size());
  if (observed.observed()) describe(start);
  RunScope run(observed, EventKind::rerank, name(), std::move(start));
  const CallContext inner = emits_runs() ? run.context() : context;
  try {
    auto reranking = co_await with_deadline(noting_usage(do_rerank(query, texts, top_n, inner), &used), inner);
    ranked = std::move(reranking.texts);
    used.add(usage_or_estimate(reranking.usage, context, query, texts));
    check(name(), ranked, texts.size());
    if (!ranked.empty() && ranked.front().score) std::sort(ranked.begin(), ranked.end(), better);
    if (ranked.size() > top_n) ranked.resize(top_n);
  } catch (...) {
    Metadata attributes;
    if (observed.observed()) set_usage(attributes, used.total());
    run.fail(std::current_exception(), std::move(attributes));
    if (!emits_runs()) throw;
    std::rethrow_exception(unpaid(std::current_exception()));
  }
  auto attributes = attribute(observed, "kept", ranked.size());
  if (observed.observed()) set_usage(attributes, used.total());
  run.end(std::move(attributes));
  co_return ranked;
}

}  // namespace ragstone
