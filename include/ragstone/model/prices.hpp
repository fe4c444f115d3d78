#pragma once

#include <ragstone/model/usage.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace ragstone {

/// What a model costs: prices of a million tokens, and of a thousand searches where it is billed by these.
class Price {
 public:
  Price() = default;

  double input = 0;
  double output = 0;
  std::optional<double> cached;       ///< Input that the provider had cached; `input` where absent.
  std::optional<double> cache_write;  ///< Input that the provider wrote to its cache; `input` where absent.
  std::optional<double> searches;     ///< Usage::searches; a model with this price has none for tokens.
  std::string currency = "USD";
};

/// Prices by model: the user's data, none are built in. A name is looked up as it is, then as an alias; nothing is
/// guessed from parts of names. Concurrent reads are safe.
class PriceTable {
 public:
  PriceTable() = default;

  /// Sets or replaces. Errors: Errc::invalid_argument for an empty name, or a price that is negative or not finite.
  void set(std::string model, Price price);
  /// `name` costs what `model` does. Errors: Errc::not_found unless `model` has a price.
  void set_alias(std::string name, const std::string& model);

  /// Null for an unknown model. Valid until the next change.
  const Price* find(std::string_view model) const noexcept;

 private:
  std::map<std::string, Price, std::less<>> prices_;
  std::map<std::string, std::string, std::less<>> aliases_;
};

/// Reads
///
///     {"models": {"qwen-max": {"input": 2.4, "output": 9.6, "cached": 0.96, "cache_write": 3, "currency": "CNY"}},
///      "aliases": {"my-endpoint": "qwen-max"}}
///
/// where only "models", "input" and "output" must be there. An embedder or reranker has no "output"; one that is billed
/// by searches has "searches" instead of "input".
/// Errors: Errc::parse_error, also for names that are not known; those of PriceTable.
PriceTable parse_prices(std::string_view json);

/// (input - cache_read - cache_write) * input + cache_read * cached + cache_write * cache_write + output * output:
/// cached input is part of input, reasoning is part of output; or searches * searches. None if the counts that it takes
/// are not known; `output` is taken to be 0 where `has_output` is false.
std::optional<double> cost_of(const Usage& usage, const Price& price, bool has_output = true);

static_assert(!std::is_aggregate_v<Price> && !std::is_aggregate_v<PriceTable>);

}  // namespace ragstone
