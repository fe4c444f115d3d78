#pragma once

#include <ragstone/async/call_context.hpp>
#include <ragstone/async/task.hpp>
#include <ragstone/base/span.hpp>
#include <ragstone/rag/retriever.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

/// How good rankings are, by judgements of one's own. The measures follow trec_eval: gains are the grades themselves,
/// the discount is 1 / log2(rank + 1), a text without a judgement has the grade 0, a query without hits counts as 0 and
/// one without a judged text does not count. An id that a ranking repeats counts at its first place only.
namespace ragstone {

/// Grades of one query's texts by id; those above 0 are relevant.
using Judgements = std::unordered_map<std::string, int>;

/// A query with the texts that answer it.
class JudgedQuery {
 public:
  JudgedQuery() = default;

  std::string id;
  std::string text;
  Judgements judgements;
};

/// `ranking`: ids, best first. All give 0 where nothing is relevant.
/// Normalised discounted cumulative gain of the first `cut`, over that of the best possible ranking.
double ndcg(std::span<const std::string> ranking, const Judgements& judgements, std::size_t cut);
/// Share of the relevant texts that are among the first `cut`.
double recall(std::span<const std::string> ranking, const Judgements& judgements, std::size_t cut);
/// 1 / rank of the first relevant text; its mean over queries is MRR.
double reciprocal_rank(std::span<const std::string> ranking, const Judgements& judgements);
/// Mean over the relevant texts of the precision at their ranks, 0 for those not found; its mean over queries is MAP.
double average_precision(std::span<const std::string> ranking, const Judgements& judgements);

/// A mean with its 95 % interval.
struct MeanInterval {
  double mean = 0;
  double low = 0;
  double high = 0;
};

/// The mean of values, one for each query, with the percentile bootstrap interval (Efron 1979) of `resamples` samples
/// drawn with replacement. The same input gives the same interval. For the paired comparison of two configurations give
/// the differences query by query: an interval without 0 is a difference that another set of queries would likely show.
MeanInterval bootstrap_mean(std::span<const double> values, std::size_t resamples = 2000, std::uint32_t seed = 1);

/// How much of what answers a query, and how little else, retrieved spans hold. Bytes that several spans cover count
/// once.
struct SpanScore {
  double recall = 0;     ///< Share of the relevant bytes that were retrieved.
  double precision = 0;  ///< Share of the retrieved bytes that are relevant.
  double iou = 0;        ///< Bytes in both over bytes in either.
};

/// A span of one source's text.
struct SourceSpan {
  std::string source;
  Span span;
};

/// All 0 where nothing is relevant; precision 0 where nothing was retrieved.
SpanScore score_spans(std::span<const SourceSpan> retrieved, std::span<const SourceSpan> relevant);

/// What evaluate() measured of one query.
class QueryScore {
 public:
  QueryScore() = default;

  std::string id;
  double ndcg_at_10 = 0;
  double recall_at_100 = 0;
  double reciprocal_rank = 0;
  double average_precision = 0;
  std::chrono::duration<double, std::milli> time{0};  ///< From call to hits, one query at a time.
  std::vector<std::string> ranking;                   ///< Ids, best first.
};

/// What evaluate() measured.
class Evaluation {
 public:
  Evaluation() = default;

  std::vector<QueryScore> queries;  ///< Those with a relevant text, in the order given.

  /// One value for each query: `values(&QueryScore::ndcg_at_10)`.
  std::vector<double> values(double QueryScore::*measure) const;
  MeanInterval mean(double QueryScore::*measure) const { return bootstrap_mean(values(measure)); }
  std::chrono::duration<double, std::milli> mean_time() const;
};

/// The paired difference of two evaluations of the same queries: better minus worse is above 0.
/// Errors: Errc::invalid_argument if they are of other queries.
MeanInterval compare(const Evaluation& a, const Evaluation& b, double QueryScore::*measure);

/// Asks every query, one after the other, for 100 hits, and judges them by the ids of their sources. What else the
/// retriever does is as its options say. Errors: the retriever's.
Task<Evaluation> evaluate(Retriever retriever, std::vector<JudgedQuery> queries, CallContext context = {});

static_assert(!std::is_aggregate_v<JudgedQuery> && !std::is_aggregate_v<QueryScore> &&
              !std::is_aggregate_v<Evaluation>);

}  // namespace ragstone
