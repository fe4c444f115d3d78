#pragma once

#include <ragstone/async/observer.hpp>
#include <ragstone/base/log.hpp>
#include <ragstone/model/prices.hpp>
#include <ragstone/text/token_counter.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace ragstone {

/// What was spent on one model in one kind of operation.
class UsageRow {
 public:
  UsageRow() = default;

  EventKind operation = EventKind::chat;  ///< chat, embed or rerank.
  std::string model;                      ///< As the provider names it, otherwise as the program does.

  std::uint64_t requests = 0;    ///< Calls that ended well.
  std::uint64_t failures = 0;    ///< Attempts that did not, repeated ones included.
  std::uint64_t cache_hits = 0;  ///< Answered from a cache of ours: no request, no cost.

  /// Of all these attempts, by where their token counts are from.
  std::uint64_t reported = 0;   ///< The provider.
  std::uint64_t estimated = 0;  ///< UsageMeterOptions::estimate.
  std::uint64_t missing = 0;    ///< Nowhere: their tokens are in none of the sums below.
  /// Of those that are reported or estimated: calls of which some requests told nothing (Usage::partial), so that the
  /// sums below hold too little.
  std::uint64_t partial = 0;

  std::uint64_t input = 0;
  std::uint64_t output = 0;
  std::uint64_t cache_read = 0;   ///< Part of input.
  std::uint64_t cache_write = 0;  ///< Part of input.
  std::uint64_t reasoning = 0;    ///< Part of output.
  std::uint64_t searches = 0;     ///< Usage::searches.

  /// Of the attempts with counts, by the price of `model` or else of the name that was asked for. 0 where nothing was
  /// to be paid: hits in caches, models in the process, attempts that failed before anything came back. None: no price
  /// is known, or nothing that it could be reckoned from.
  std::optional<double> cost;
  std::string currency;  ///< Empty where nothing was to be paid.
};

/// What a UsageMeter counted.
class UsageReport {
 public:
  UsageReport() = default;

  std::vector<UsageRow> rows;  ///< Ascending by operation, then by model.

  /// All rows of an operation together; no model, and a cost only if each row has one, in the same currency.
  UsageRow total(EventKind operation) const;
  /// Sums of the rows' costs by currency, without the rows that have none.
  std::map<std::string, double> costs() const;
  /// A table for people.
  std::string text() const;
};

class UsageMeterOptions {
 public:
  UsageMeterOptions();

  std::shared_ptr<const PriceTable> prices;  ///< Null: no costs.
  /// Counts the tokens of calls whose provider does not. Null: such calls are `missing`.
  std::shared_ptr<const TokenCounter> estimate;
  LogSink log;  ///< Is told once of each model without a price, by all meters with copies of these options together.

 private:
  friend class UsageMeter;
  class ToldModels;

  std::shared_ptr<ToldModels> told_;
};

/// Counts tokens, requests and cost of all that is done with its context(): chat, embedding, reranking, and hits in
/// caches. Meters nest: one that is made over another's context is part of what that one counts. What is counted goes
/// by the context alone, so calls of other scopes and threads are never mixed in.
///
/// Thread-safe. An operation that outlives the meter ends as if nothing had been counted.
///
///     UsageMeter meter(context);
///     auto answer = co_await assistant.ask(question, meter.context());
///     std::cout << meter.report().text();
class UsageMeter {
 public:
  explicit UsageMeter(CallContext parent = {}, UsageMeterOptions options = {});
  UsageMeter(const UsageMeter&) = delete;
  UsageMeter& operator=(const UsageMeter&) = delete;
  ~UsageMeter();

  const CallContext& context() const noexcept { return context_; }
  /// What was counted so far. Calls in progress are not part of it.
  UsageReport report() const;

 private:
  class Counts;

  std::shared_ptr<Counts> counts_;
  CallContext context_;
};

static_assert(!std::is_aggregate_v<UsageRow> && !std::is_aggregate_v<UsageReport> &&
              !std::is_aggregate_v<UsageMeterOptions>);

}  // namespace ragstone
