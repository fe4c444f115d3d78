#pragma once

#include <ragstone/model/chat_model.hpp>

#include <memory>
#include <string_view>

namespace ragstone::detail {

/// A JSON Schema for replies: the keywords that structured outputs use (type, properties, required,
/// additionalProperties, items, prefixItems, enum, const, anyOf, oneOf, allOf, not, $ref into $defs or definitions,
/// bounds of numbers, strings and arrays, uniqueItems). Annotations are skipped. For one thread at a time.
class SchemaCheck {
 public:
  /// Errors: Errc::invalid_argument for what is no schema, Errc::unsupported for a keyword that would not be checked.
  explicit SchemaCheck(const ReplySchema& schema);
  ~SchemaCheck();

  /// Errors: Errc::rejected, with the place in the reply, not its text; Errc::limit_exceeded if it would take too long.
  void check(std::string_view reply);

 private:
  class Schema;
  std::unique_ptr<Schema> schema_;
};

}  // namespace ragstone::detail
