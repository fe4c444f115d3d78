#include <ragstone/text/analyzer.hpp>

#include <algorithm>
#include <functional>
#include <unordered_map>

namespace ragstone {
namespace {

struct TermHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view term) const noexcept { return std::hash<std::string_view>()(term); }
};

}  // namespace

TermCounts count_terms(const Analyzer& analyzer, std::string_view text) {
  std::unordered_map<std::string, std::uint32_t, TermHash, std::equal_to<>> counts;
  TermCounts result;
  analyzer.visit(text, [&](std::string_view term, Span, std::uint32_t) {
    ++result.length;
    if (const auto known = counts.find(term); known != counts.end())
      ++known->second;
    else
      counts.emplace(term, 1);
  });
  result.terms.reserve(counts.size());
  while (!counts.empty()) {
    auto entry = counts.extract(counts.begin());
    result.terms.emplace_back(std::move(entry.key()), entry.mapped());
  }
  std::sort(result.terms.begin(), result.terms.end());
  return result;
}

}  // namespace ragstone
