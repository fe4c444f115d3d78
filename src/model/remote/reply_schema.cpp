#include "model/remote/reply_schema.hpp"

#include <ragstone/base/error.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <re2/re2.h>

namespace ragstone::detail {
namespace {

using nlohmann::json;

constexpr int kDeepest = 64;
constexpr std::size_t kMostSteps = 250'000;      // schemas applied to values in one check: alternatives multiply
constexpr std::int64_t kPatternBytes = 1 << 20;  // what RE2 may need for one pattern

constexpr std::array kAnnotations = {"title",      "description", "default",     "examples", "$schema",
                                     "$id",        "$defs",       "definitions", "$comment", "format",
                                     "deprecated", "readOnly",    "writeOnly"};
constexpr std::array kKeywords = {"type",
                                  "properties",
                                  "required",
                                  "additionalProperties",
                                  "items",
                                  "prefixItems",
                                  "enum",
                                  "const",
                                  "anyOf",
                                  "oneOf",
                                  "allOf",
                                  "not",
                                  "$ref",
                                  "minimum",
                                  "maximum",
                                  "exclusiveMinimum",
                                  "exclusiveMaximum",
                                  "multipleOf",
                                  "minLength",
                                  "maxLength",
                                  "pattern",
                                  "minItems",
                                  "maxItems",
                                  "minProperties",
                                  "maxProperties",
                                  "uniqueItems"};

bool among(const auto& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool has_type(const json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "null") return value.is_null();
  if (type == "number") return value.is_number();
  if (type == "integer")
    return value.is_number_integer() ||
           (value.is_number_float() && std::trunc(value.get<double>()) == value.get<double>());
  return false;
}

std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

[[noreturn]] void refuse(const std::string& why) { throw Error(Errc::invalid_argument, "reply schema: " + why); }

bool all_strings(const json& array) {
  return array.is_array() && std::all_of(array.begin(), array.end(), [](const json& one) { return one.is_string(); });
}

/// Errors: Errc::invalid_argument for a keyword whose value no check could use.
void require_value(const std::string& keyword, const json& value) {
  const auto require = [&](bool holds, const char* what) {
    if (!holds) refuse("'" + keyword + "' must be " + what);
  };
  if (keyword == "type") require(value.is_string() || all_strings(value), "a type, or an array of types");
  if (keyword == "required") require(all_strings(value), "an array of names");
  if (keyword == "enum") require(value.is_array(), "an array of values");
  if (keyword == "uniqueItems") require(value.is_boolean(), "true or false");
  if (keyword == "multipleOf") require(value.is_number() && value > 0, "a number above 0");
  if (keyword.ends_with("imum")) require(value.is_number(), "a number");
  for (const char* counted : {"Length", "Items", "Properties"})
    if (keyword == std::string("min") + counted || keyword == std::string("max") + counted)
      require(value.is_number_unsigned(), "a count");
}

/// What walks a value recurses, unlike the parser. None for what is no JSON; `deep` says that it is nested too deep.
json parsed(std::string_view text, bool& deep) {
  deep = false;
  const auto shallow = [&deep](int depth, json::parse_event_t, json&) {
    deep = deep || depth > kDeepest;
    return !deep;
  };
  return json::parse(text, shallow, false);
}

bool has_equal_items(const json& array) {
  std::vector<const json*> items;
  for (const json& item : array) items.push_back(&item);
  std::sort(items.begin(), items.end(), [](const json* a, const json* b) { return *a < *b; });
  return std::adjacent_find(items.begin(), items.end(), [](const json* a, const json* b) { return *a == *b; }) !=
         items.end();
}

[[noreturn]] void fail(const std::string& path, const std::string& why) {
  throw Error(Errc::rejected, "the reply does not follow the schema: " + (path.empty() ? "it" : path) + " " + why);
}

}  // namespace

class SchemaCheck::Schema {
 public:
  explicit Schema(const ReplySchema& schema) {
    bool deep = false;
    root_ = parsed(schema.json, deep);
    if (deep) refuse("nested too deep");
    if (!root_.is_object()) throw Error(Errc::invalid_argument, "reply schema '" + schema.name + "' is no JSON object");
    const auto name_ok = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
    };
    if (schema.name.empty() || schema.name.size() > 64 || !std::all_of(schema.name.begin(), schema.name.end(), name_ok))
      throw Error(Errc::invalid_argument, "a reply schema's name is 1 to 64 letters, digits, '_' and '-'");
    // Schemas that others refer to are looked at once, and each as deep as it is by itself.
    for (waiting_.push_back(&root_); !waiting_.empty();) {
      const json* next = waiting_.back();
      waiting_.pop_back();
      require_known(*next, 0);
    }
  }

  void check(const json& value) {
    steps_ = 0;
    check(value, root_, "", 0);
  }

 private:
  void require_known(const json& schema, int depth) {
    if (depth > kDeepest) refuse("nested too deep");
    if (schema.is_boolean()) return;
    if (!schema.is_object()) refuse("a schema is an object, true or false");
    for (const auto& [name, value] : schema.items()) {
      require_value(name, value);
      if (name == "properties" || name == "$defs" || name == "definitions") {
        if (!value.is_object()) refuse("'" + name + "' must be an object of schemas");
        for (const auto& [property, inner] : value.items()) require_known(inner, depth + 1);
      } else if (name == "items" || name == "additionalProperties" || name == "not") {
        require_known(value, depth + 1);
      } else if (name == "anyOf" || name == "oneOf" || name == "allOf" || name == "prefixItems") {
        if (!value.is_array()) refuse("'" + name + "' must be an array of schemas");
        for (const json& inner : value) require_known(inner, depth + 1);
      } else if (name == "$ref") {
        const json& there = target(value);
        if (references_.insert(value.get<std::string>()).second) waiting_.push_back(&there);
      } else if (name == "pattern") {
        compile(value);
      } else if (!among(kKeywords, name) && !among(kAnnotations, name)) {
        throw Error(Errc::unsupported, "reply schema: the keyword '" + name + "' would not be checked; leave it out");
      }
    }
  }

  void compile(const json& pattern) {
    if (!pattern.is_string()) refuse("a pattern is a string");
    const auto& text = pattern.get_ref<const std::string&>();
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kPatternBytes);
    const auto [place, is_new] = patterns_.try_emplace(text);
    if (is_new) place->second = std::make_unique<const RE2>(text, options);
    if (!place->second->ok())
      throw Error(Errc::unsupported, "reply schema: the pattern " + pattern.dump() +
                                         " would not be checked (RE2: " + place->second->error() + "); leave it out");
  }

  const json& target(const json& reference) const {
    const std::string text = reference.is_string() ? reference.get<std::string>() : "";
    if (text == "#") return root_;
    try {
      if (text.starts_with("#/")) return root_.at(json::json_pointer(text.substr(1)));
    } catch (const json::exception&) {
    }
    refuse("$ref leads nowhere in the schema");
  }

  bool passes(const json& value, const json& schema, int depth) const {
    try {
      check(value, schema, "", depth);
      return true;
    } catch (const Error& error) {
      if (error.errc() != Errc::rejected) throw;
      return false;
    }
  }

  void check(const json& value, const json& schema, const std::string& path, int depth) const {
    if (++steps_ > kMostSteps)
      throw Error(Errc::limit_exceeded, "the reply takes too many steps to check against its schema");
    if (depth > kDeepest) fail(path, "is nested too deep");
    if (schema.is_boolean()) {
      if (!schema.get<bool>()) fail(path, "may not be there");
      return;
    }
    for (const auto& [name, wanted] : schema.items()) check(value, schema, name, wanted, path, depth);
  }

  void check(const json& value, const json& schema, const std::string& keyword, const json& wanted,
             const std::string& path, int depth) const {
    const auto count_passing = [&] {
      return std::count_if(wanted.begin(), wanted.end(),
                           [&](const json& one) { return passes(value, one, depth + 1); });
    };
    if (keyword == "$ref") {
      check(value, target(wanted), path, depth + 1);
    } else if (keyword == "type") {
      const bool fits = wanted.is_array() ? std::any_of(wanted.begin(), wanted.end(),
                                                        [&](const json& one) { return has_type(value, one); })
                                          : has_type(value, wanted);
      if (!fits) fail(path, "is " + std::string(value.type_name()) + ", not " + wanted.dump());
    } else if (keyword == "enum") {
      if (std::find(wanted.begin(), wanted.end(), value) == wanted.end()) fail(path, "is none of the allowed values");
    } else if (keyword == "const") {
      if (value != wanted) fail(path, "is not the allowed value");
    } else if (keyword == "anyOf") {
      if (count_passing() == 0) fail(path, "follows no alternative");
    } else if (keyword == "oneOf") {
      if (count_passing() != 1) fail(path, "follows not exactly one alternative");
    } else if (keyword == "allOf") {
      for (const json& one : wanted) check(value, one, path, depth + 1);
    } else if (keyword == "not") {
      if (passes(value, wanted, depth + 1)) fail(path, "follows what it must not");
    } else if (value.is_object()) {
      check_object(value, schema, keyword, wanted, path, depth);
    } else if (value.is_array()) {
      check_array(value, schema, keyword, wanted, path, depth);
    } else if (value.is_string()) {
      if (keyword == "minLength" && characters(value) < wanted) fail(path, "is too short");
      if (keyword == "maxLength" && characters(value) > wanted) fail(path, "is too long");
      if (keyword == "pattern" &&
          !RE2::PartialMatch(value.get_ref<const std::string&>(), *patterns_.at(wanted.get_ref<const std::string&>())))
        fail(path, "does not match " + wanted.dump());
    } else if (value.is_number()) {
      check_number(value, keyword, wanted, path);
    }
  }

  void check_object(const json& value, const json& schema, const std::string& keyword, const json& wanted,
                    const std::string& path, int depth) const {
    if (keyword == "required") {
      for (const json& name : wanted)
        if (!value.contains(name.get<std::string>())) fail(path, "lacks " + name.dump());
    } else if (keyword == "properties") {
      for (const auto& [name, inner] : wanted.items())
        if (const auto found = value.find(name); found != value.end())
          check(*found, inner, path + "/" + name, depth + 1);
    } else if (keyword == "additionalProperties") {
      const auto known = schema.find("properties");
      for (const auto& [name, inner] : value.items())
        if (known == schema.end() || !known->contains(name))
          check(inner, wanted, path + "/(another member)", depth + 1);
    } else if (keyword == "minProperties") {
      if (value.size() < wanted) fail(path, "has too few members");
    } else if (keyword == "maxProperties") {
      if (value.size() > wanted) fail(path, "has too many members");
    }
  }

  void check_array(const json& value, const json& schema, const std::string& keyword, const json& wanted,
                   const std::string& path, int depth) const {
    const auto prefix = schema.find("prefixItems");
    const std::size_t fixed = prefix == schema.end() ? 0 : prefix->size();
    if (keyword == "items") {
      for (std::size_t i = fixed; i < value.size(); ++i)
        check(value[i], wanted, path + "/" + std::to_string(i), depth + 1);
    } else if (keyword == "prefixItems") {
      for (std::size_t i = 0; i < std::min(fixed, value.size()); ++i)
        check(value[i], wanted[i], path + "/" + std::to_string(i), depth + 1);
    } else if (keyword == "minItems") {
      if (value.size() < wanted) fail(path, "has too few items");
    } else if (keyword == "maxItems") {
      if (value.size() > wanted) fail(path, "has too many items");
    } else if (keyword == "uniqueItems" && wanted == true) {
      if (has_equal_items(value)) fail(path, "has equal items");
    }
  }

  /// As people write numbers: 19.99 is a multiple of 0.01, though neither is exact in binary.
  static bool is_multiple(double value, double of) {
    if (std::remainder(value, of) == 0) return true;
    const double times = value / of;
    return std::abs(times - std::round(times)) <= 1e-12 * std::max(1.0, std::abs(times));
  }

  static void check_number(const json& value, const std::string& keyword, const json& wanted, const std::string& path) {
    if ((keyword == "minimum" && value < wanted) || (keyword == "exclusiveMinimum" && value <= wanted))
      fail(path, "is too small");
    if ((keyword == "maximum" && value > wanted) || (keyword == "exclusiveMaximum" && value >= wanted))
      fail(path, "is too large");
    if (keyword == "multipleOf" && !is_multiple(value.get<double>(), wanted.get<double>()))
      fail(path, "is no multiple of " + wanted.dump());
  }

  json root_;
  std::set<std::string> references_;  // that lead to a schema whose keywords are known
  std::vector<const json*> waiting_;  ///< Targets of references, to be looked at.
  mutable std::size_t steps_ = 0;
  std::map<std::string, std::unique_ptr<const RE2>, std::less<>> patterns_;  // by their text
};

SchemaCheck::SchemaCheck(const ReplySchema& schema) : schema_(std::make_unique<Schema>(schema)) {}
SchemaCheck::~SchemaCheck() = default;

void SchemaCheck::check(std::string_view reply) {
  bool deep = false;
  const json value = parsed(reply, deep);
  if (deep) fail("", "is nested too deep");
  if (value.is_discarded()) fail("", "is no JSON");
  schema_->check(value);
}

}  // namespace ragstone::detail
