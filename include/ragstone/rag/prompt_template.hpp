#pragma once

#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace ragstone {

/// Text with holes: `{name}` is replaced by the value of that name, `{{` and `}}` stand for braces. There is nothing
/// else: no logic, no nesting, and what a value holds is never looked at again, so that no value can fill another hole.
///
/// A name is 1 to 64 ASCII letters, digits and '_'. Concurrent reads are safe.
class PromptTemplate {
 public:
  using Values = std::map<std::string, std::string, std::less<>>;

  PromptTemplate() = default;
  /// Errors: Errc::parse_error, with the byte position, for a lone brace or a bad name.
  explicit PromptTemplate(std::string_view text);

  /// The names that it uses, each once, in the order of their first use.
  const std::vector<std::string>& names() const noexcept { return names_; }
  bool uses(std::string_view name) const noexcept;

  /// Errors: Errc::not_found for a name without a value. Values that it does not use are left alone.
  std::string render(const Values& values) const;

 private:
  struct Part {
    std::string text;
    std::string name;  ///< Of the hole after `text`; empty: none.
  };

  std::vector<Part> parts_;
  std::vector<std::string> names_;
};

static_assert(!std::is_aggregate_v<PromptTemplate>);

}  // namespace ragstone
