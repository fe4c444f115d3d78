#include <ragstone/base/error.hpp>
#include <ragstone/rag/evaluation.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <random>
#include <unordered_set>

namespace ragstone {
namespace {

constexpr std::size_t kHits = 100;

double discount(std::size_t rank) { return 1.0 / std::log2(static_cast<double>(rank) + 1.0); }

std::size_t count_relevant(const Judgements& judgements) {
  return static_cast<std::size_t>(
      std::count_if(judgements.begin(), judgements.end(), [](const auto& entry) { return entry.second > 0; }));
}

/// Calls `visit(rank, grade)` for each relevant text among the first `cut`, in the order of the ranking.
template <class Visit>
void for_each_relevant(std::span<const std::string> ranking, const Judgements& judgements, std::size_t cut,
                       Visit visit) {
  std::unordered_set<std::string_view> seen;
  std::size_t rank = 0;
  for (const std::string& id : ranking) {
    if (rank == cut) return;
    if (!seen.insert(id).second) continue;
    ++rank;
    const auto found = judgements.find(id);
    if (found != judgements.end() && found->second > 0) visit(rank, found->second);
  }
}

/// Disjoint spans in ascending order.
std::vector<Span> united(std::vector<Span> spans) {
  std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) { return a.begin < b.begin; });
  std::vector<Span> disjoint;
  for (const Span& span : spans) {
    if (!disjoint.empty() && span.begin <= disjoint.back().end) {
      disjoint.back().end = std::max(disjoint.back().end, span.end);
    } else {
      disjoint.push_back(span);
    }
  }
  return disjoint;
}

using SpansBySource = std::map<std::string, std::vector<Span>>;

SpansBySource by_source(std::span<const SourceSpan> spans) {
  SpansBySource sources;
  for (const SourceSpan& span : spans) sources[span.source].push_back(span.span);
  for (auto& [source, list] : sources) list = united(std::move(list));
  return sources;
}

double bytes_of(const SpansBySource& sources) {
  double sum = 0;
  for (const auto& [source, spans] : sources)
    for (const Span& span : spans) sum += static_cast<double>(span.size());
  return sum;
}

double common_bytes(const SpansBySource& a, const SpansBySource& b) {
  double sum = 0;
  for (const auto& [source, spans] : a) {
    const auto other = b.find(source);
    if (other == b.end()) continue;
    for (const Span& x : spans)
      for (const Span& y : other->second)
        if (x.begin < y.end && y.begin < x.end)
          sum += static_cast<double>(std::min(x.end, y.end) - std::max(x.begin, y.begin));
  }
  return sum;
}

Task<Evaluation> evaluate_all(Retriever retriever, std::vector<JudgedQuery> queries, CallContext context) {
  Evaluation evaluation;
  for (const JudgedQuery& judged : queries) {
    if (count_relevant(judged.judgements) == 0) continue;
    Query query(judged.text);
    query.top_k = kHits;
    const auto start = std::chrono::steady_clock::now();
    const std::vector<Hit> hits = co_await retriever.retrieve(query, context);
    QueryScore& score = evaluation.queries.emplace_back();
    score.time = std::chrono::steady_clock::now() - start;
    score.id = judged.id;
    for (const Hit& hit : hits) score.ranking.push_back(hit.source);
    score.ndcg_at_10 = ndcg(score.ranking, judged.judgements, 10);
    score.recall_at_100 = recall(score.ranking, judged.judgements, kHits);
    score.reciprocal_rank = reciprocal_rank(score.ranking, judged.judgements);
    score.average_precision = average_precision(score.ranking, judged.judgements);
  }
  co_return evaluation;
}

}  // namespace

double ndcg(std::span<const std::string> ranking, const Judgements& judgements, std::size_t cut) {
  double gained = 0;
  for_each_relevant(ranking, judgements, cut, [&](std::size_t rank, int grade) { gained += grade * discount(rank); });
  std::vector<int> ideal;
  for (const auto& [id, grade] : judgements)
    if (grade > 0) ideal.push_back(grade);
  std::sort(ideal.begin(), ideal.end(), std::greater<>());
  double best = 0;
  for (std::size_t i = 0; i < std::min(cut, ideal.size()); ++i) best += ideal[i] * discount(i + 1);
  return best == 0 ? 0 : gained / best;
}

double recall(std::span<const std::string> ranking, const Judgements& judgements, std::size_t cut) {
  const std::size_t relevant = count_relevant(judgements);
  std::size_t found = 0;
  for_each_relevant(ranking, judgements, cut, [&](std::size_t, int) { ++found; });
  return relevant == 0 ? 0 : static_cast<double>(found) / static_cast<double>(relevant);
}

double reciprocal_rank(std::span<const std::string> ranking, const Judgements& judgements) {
  double value = 0;
  for_each_relevant(ranking, judgements, ranking.size(), [&](std::size_t rank, int) {
    if (value == 0) value = 1 / static_cast<double>(rank);
  });
  return value;
}

double average_precision(std::span<const std::string> ranking, const Judgements& judgements) {
  const std::size_t relevant = count_relevant(judgements);
  std::size_t found = 0;
  double sum = 0;
  for_each_relevant(ranking, judgements, ranking.size(), [&](std::size_t rank, int) {
    ++found;
    sum += static_cast<double>(found) / static_cast<double>(rank);
  });
  return relevant == 0 ? 0 : sum / static_cast<double>(relevant);
}

MeanInterval bootstrap_mean(std::span<const double> values, std::size_t resamples, std::uint32_t seed) {
  MeanInterval interval;
  if (values.empty()) return interval;
  const auto count = static_cast<double>(values.size());
  for (const double value : values) interval.mean += value / count;
  interval.low = interval.high = interval.mean;
  if (resamples == 0) return interval;
  // The distributions of the standard library differ between implementations; the generator does not.
  std::mt19937 random(seed);
  std::vector<double> means(resamples);
  for (double& mean : means) {
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i)
      sum += values[static_cast<std::size_t>(std::uint64_t{random()} * values.size() >> 32)];
    mean = sum / count;
  }
  std::sort(means.begin(), means.end());
  const auto last = static_cast<double>(resamples - 1);
  interval.low = means[static_cast<std::size_t>(std::lround(0.025 * last))];
  interval.high = means[static_cast<std::size_t>(std::lround(0.975 * last))];
  return interval;
}

SpanScore score_spans(std::span<const SourceSpan> retrieved, std::span<const SourceSpan> relevant) {
  const SpansBySource found = by_source(retrieved);
  const SpansBySource wanted = by_source(relevant);
  const double found_bytes = bytes_of(found);
  const double wanted_bytes = bytes_of(wanted);
  const double common = common_bytes(found, wanted);
  SpanScore score;
  if (wanted_bytes == 0) return score;
  score.recall = common / wanted_bytes;
  score.precision = found_bytes == 0 ? 0 : common / found_bytes;
  score.iou = common / (found_bytes + wanted_bytes - common);
  return score;
}

std::vector<double> Evaluation::values(double QueryScore::*measure) const {
  std::vector<double> all;
  all.reserve(queries.size());
  for (const QueryScore& query : queries) all.push_back(query.*measure);
  return all;
}

std::chrono::duration<double, std::milli> Evaluation::mean_time() const {
  std::chrono::duration<double, std::milli> sum{0};
  for (const QueryScore& query : queries) sum += query.time;
  return queries.empty() ? sum : sum / static_cast<double>(queries.size());
}

MeanInterval compare(const Evaluation& a, const Evaluation& b, double QueryScore::*measure) {
  const auto same_query = [](const QueryScore& x, const QueryScore& y) { return x.id == y.id; };
  if (!std::equal(a.queries.begin(), a.queries.end(), b.queries.begin(), b.queries.end(), same_query))
    throw Error(Errc::invalid_argument, "compare evaluations: they are of other queries; evaluate both with the same");
  std::vector<double> differences = a.values(measure);
  const std::vector<double> others = b.values(measure);
  for (std::size_t i = 0; i < differences.size(); ++i) differences[i] -= others[i];
  return bootstrap_mean(differences);
}

Task<Evaluation> evaluate(Retriever retriever, std::vector<JudgedQuery> queries, CallContext context) {
  return evaluate_all(std::move(retriever), std::move(queries), std::move(context));
}

}  // namespace ragstone
