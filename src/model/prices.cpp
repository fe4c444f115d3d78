#include <ragstone/base/error.hpp>
#include <ragstone/model/prices.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

#include <nlohmann/json.hpp>

namespace ragstone {
namespace {

constexpr double kMillion = 1e6;
constexpr double kThousand = 1e3;

void check(const std::string& model, const char* what, double value) {
  if (!(std::isfinite(value) && value >= 0))
    throw Error(Errc::invalid_argument, "prices: " + std::string(what) + " of \"" + model + "\" is not at least 0");
}

[[noreturn]] void fail(const std::string& what) {
  throw Error(Errc::parse_error, "prices: " + what + "; see ragstone/model/prices.hpp");
}

double number(const std::string& model, const std::string& name, const nlohmann::json& value) {
  if (!value.is_number()) fail("\"" + name + "\" of \"" + model + "\" is not a number");
  return value.get<double>();
}

Price parse_price(const std::string& model, const nlohmann::json& json) {
  if (!json.is_object()) fail("\"" + model + "\" is not an object");
  if (!json.contains("input") && !json.contains("searches")) fail("\"" + model + "\" has no \"input\"");
  Price price;
  for (const auto& [name, value] : json.items()) {
    if (name == "input") {
      price.input = number(model, name, value);
    } else if (name == "output") {
      price.output = number(model, name, value);
    } else if (name == "cached") {
      price.cached = number(model, name, value);
    } else if (name == "cache_write") {
      price.cache_write = number(model, name, value);
    } else if (name == "searches") {
      price.searches = number(model, name, value);
    } else if (name == "currency" && value.is_string()) {
      price.currency = value.get<std::string>();
    } else {
      fail("\"" + name + "\" of \"" + model + "\" is not known, or of the wrong type");
    }
  }
  return price;
}

}  // namespace

void PriceTable::set(std::string model, Price price) {
  if (model.empty()) throw Error(Errc::invalid_argument, "prices: a model without a name");
  check(model, "input", price.input);
  check(model, "output", price.output);
  check(model, "cached", price.cached.value_or(0));
  check(model, "cache_write", price.cache_write.value_or(0));
  check(model, "searches", price.searches.value_or(0));
  prices_[std::move(model)] = std::move(price);
}

void PriceTable::set_alias(std::string name, const std::string& model) {
  if (!prices_.contains(model))
    throw Error(Errc::not_found, "prices: alias \"" + name + "\" of \"" + model + "\", which has no price");
  aliases_[std::move(name)] = model;
}

const Price* PriceTable::find(std::string_view model) const noexcept {
  if (const auto found = prices_.find(model); found != prices_.end()) return &found->second;
  const auto alias = aliases_.find(model);
  return alias == aliases_.end() ? nullptr : &prices_.find(alias->second)->second;
}

PriceTable parse_prices(std::string_view text) {
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("models") || !json["models"].is_object())
    fail("not an object with \"models\"");
  PriceTable table;
  for (const auto& [name, value] : json["models"].items()) table.set(name, parse_price(name, value));
  for (const auto& [name, value] : json.items()) {
    if (name != "models" && (name != "aliases" || !value.is_object())) fail("\"" + name + "\" is not known");
    if (name == "models") continue;
    for (const auto& [alias, model] : value.items()) {
      if (!model.is_string()) fail("alias \"" + alias + "\" is not a string");
      table.set_alias(alias, model.get<std::string>());
    }
  }
  return table;
}

std::optional<double> cost_of(const Usage& usage, const Price& price, bool has_output) {
  if (price.searches) {
    if (!usage.searches) return std::nullopt;
    return static_cast<double>(*usage.searches) * *price.searches / kThousand;
  }
  const auto input = usage.input || has_output ? usage.input : usage.total;
  if (!input || (has_output && !usage.output)) return std::nullopt;
  const std::uint64_t read = std::min(usage.cache_read.value_or(0), *input);
  const std::uint64_t written = std::min(usage.cache_write.value_or(0), *input - read);
  const double plain = static_cast<double>(*input - read - written) * price.input;
  const double cached = static_cast<double>(read) * price.cached.value_or(price.input) +
                        static_cast<double>(written) * price.cache_write.value_or(price.input);
  const double output = has_output ? static_cast<double>(*usage.output) * price.output : 0;
  return (plain + cached + output) / kMillion;
}

}  // namespace ragstone
