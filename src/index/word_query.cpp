#include "index/word_query.hpp"

#include <ragstone/base/error.hpp>
#include <ragstone/base/utf8.hpp>

#include <cmath>
#include <string>
#include <variant>

namespace ragstone {
namespace {

[[noreturn]] void refuse(const std::string& reason) { throw Error(Errc::invalid_argument, "word query: " + reason); }

WordMode mode_of(const Scalar& value) {
  const auto* name = std::get_if<std::string>(&value);
  if (name && *name == "exact") return WordMode::exact;
  if (name && *name == "prefix") return WordMode::prefix;
  if (name && *name == "edits") return WordMode::edits;
  refuse(R"(the parameter "mode" must be "exact", "prefix" or "edits")");
}

std::size_t edits_of(const Scalar& value) {
  const auto* edits = std::get_if<std::int64_t>(&value);
  if (!edits || *edits < 0 || *edits > 2) refuse(R"(the parameter "edits" must be 0, 1 or 2)");
  return static_cast<std::size_t>(*edits);
}

WordRank rank_of(const Scalar& value) {
  const auto* name = std::get_if<std::string>(&value);
  if (name && *name == "weight") return WordRank::weight;
  if (name && *name == "frequency") return WordRank::frequency;
  refuse(R"(the parameter "by" must be "weight" or "frequency")");
}

bool distinct_of(const Scalar& value) {
  if (const auto* distinct = std::get_if<bool>(&value)) return *distinct;
  refuse(R"(the parameter "distinct" must be true or false)");
}

}  // namespace

WordQuery parse_word_query(const IndexQuery& query) {
  WordQuery parsed;
  for (const auto& [name, value] : query.parameters) {
    if (name == "mode") {
      parsed.mode = mode_of(value);
    } else if (name == "edits") {
      parsed.max_edits = edits_of(value);
    } else if (name == "by") {
      parsed.by = rank_of(value);
    } else if (name == "distinct") {
      parsed.distinct = distinct_of(value);
    } else {
      refuse("there is no parameter \"" + name + R"("; known are "mode", "edits", "by" and "distinct")");
    }
  }
  if (parsed.by == WordRank::frequency && parsed.mode != WordMode::prefix)
    refuse(R"("by" is "frequency" in the mode "prefix" only)");
  if (parsed.distinct && parsed.mode != WordMode::prefix) refuse(R"("distinct" is for the mode "prefix" only)");
  if (const std::size_t at = utf8::find_invalid(query.text); at != utf8::npos)
    refuse("the text is no valid UTF-8 at byte " + std::to_string(at) + "; convert it first");
  return parsed;
}

double edit_score(std::size_t max_edits, std::size_t distance, double weight) noexcept {
  const double squashed = weight / (1 + std::abs(weight));
  return static_cast<double>(max_edits) - static_cast<double>(distance) + (1 + squashed) / 2;
}

}  // namespace ragstone
