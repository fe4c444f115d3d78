#include "rag/hit_highlights.hpp"

#include <ragstone/async/offload.hpp>
#include <ragstone/text/highlight.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace ragstone {
namespace {

using Terms = std::vector<std::shared_ptr<const TextTerms>>;

/// Marks what one query found.
class HitMarker {
 public:
  HitMarker(const Terms& terms, const RetrieverOptions& options, std::string_view query)
      : terms_(terms), options_(options), query_(query) {}

  void mark(Hit& hit, const StopToken& stop) {
    const TextTerms& terms = *terms_[hit.document];
    const Highlighter& highlighter = highlighter_for(hit);
    hit.highlights = highlighter.mark(*terms.analyzer(hit.group), hit.text, stop);
    for (const TextField& field : terms.fields()) {
      const std::optional<std::string> words = hit.metadata.text(field.name);
      if (!words) continue;
      std::vector<Span> spans = highlighter.mark(terms.analyzer(field, hit.group), *words, stop);
      if (!spans.empty()) hit.field_highlights[field.name] = std::move(spans);
    }
  }

 private:
  /// Hits of one retrieval may be of several groups: see RetrieverOptions::parent_share.
  const Highlighter& highlighter_for(const Hit& hit) {
    const auto [place, is_new] = highlighters_.try_emplace({hit.document, hit.group});
    if (is_new) {
      const auto analyzer =
          options_.query_analyzer ? options_.query_analyzer : terms_[hit.document]->query_analyzer(hit.group);
      place->second.emplace(*analyzer, query_, options_.query_terms.function_words);
    }
    return *place->second;
  }

  const Terms& terms_;
  const RetrieverOptions& options_;
  const std::string_view query_;
  std::map<std::pair<std::size_t, std::string>, std::optional<Highlighter>> highlighters_;
};

}  // namespace

Task<std::vector<Retrieval>> with_highlights(std::vector<std::shared_ptr<DocumentCore>> documents,
                                             std::shared_ptr<const RetrieverOptions> options,
                                             std::shared_ptr<const std::vector<Query>> queries,
                                             std::vector<Retrieval> retrievals, CallContext context) {
  Terms terms;
  for (const auto& document : documents) terms.push_back(document->groups.plan()->terms);
  Work<std::vector<Retrieval>> work;
  work.set(
      [terms = std::move(terms), options, queries, retrievals = std::move(retrievals)](const StopToken& stop) mutable {
        for (std::size_t q = 0; q < retrievals.size(); ++q) {
          HitMarker marker(terms, *options, (*queries)[q].text);
          for (Hit& hit : retrievals[q].hits) {
            throw_if_stopped(stop);
            marker.mark(hit, stop);
          }
        }
        return std::move(retrievals);
      });
  const Lane lane = context.lane();
  return offload(documents.front()->pool, lane, std::move(work), std::move(context));
}

}  // namespace ragstone
