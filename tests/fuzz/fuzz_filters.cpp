#include "fuzz/targets.hpp"
#include <ragstone/base/filter.hpp>

#include <stdexcept>
#include <string>

namespace ragstone::test {
namespace {

void require(bool holds, const char* promise) {
  if (!holds) throw std::logic_error(promise);
}

}  // namespace

void fuzz_filters(std::string_view bytes) {
  Filter filter;
  try {
    filter = Filter::parse(bytes);
  } catch (const FilterSyntaxError& error) {
    require(error.position() <= bytes.size(), "an error's position lies in the text");
    return;
  } catch (const Error& error) {
    require(error.errc() == Errc::limit_exceeded || error.errc() == Errc::parse_error, "only errors that are promised");
    return;
  }
  const std::string spelling = filter.to_string();
  const Filter again = Filter::parse(spelling);
  require(again == filter && again.to_string() == spelling, "a filter's spelling means the same");
  Metadata metadata;
  metadata.set("a", 1);
  metadata.set("标题", "中文");
  require(filter.matches(metadata) == again.matches(metadata), "equal filters match alike");
  if (!filter.empty()) require((!filter).matches(metadata) != filter.matches(metadata), "not is negation");
}

}  // namespace ragstone::test
