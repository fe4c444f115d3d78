#include "base/metadata_rules.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/base/metadata.hpp>

#include <algorithm>

namespace ragstone {
namespace {

bool name_less(const Metadata::Entry& entry, std::string_view name) noexcept {
  return std::string_view(entry.first) < name;
}

}  // namespace

Metadata::Metadata(std::initializer_list<Entry> entries) {
  for (const Entry& entry : entries) set(entry.first, entry.second);
}

void Metadata::set(std::string name, Scalar value) {
  if (const std::string problem = detail::name_problem(name); !problem.empty())
    throw Error(Errc::invalid_argument, "metadata: " + problem);
  if (const std::string problem = detail::value_problem(value); !problem.empty())
    throw Error(Errc::invalid_argument, "metadata: '" + name + "': " + problem);
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), std::string_view(name), name_less);
  if (at != entries_.end() && at->first == name)
    at->second = std::move(value);
  else
    entries_.emplace(at, std::move(name), std::move(value));
}

bool Metadata::erase(std::string_view name) {
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), name, name_less);
  if (at == entries_.end() || at->first != name) return false;
  entries_.erase(at);
  return true;
}

const Scalar* Metadata::find(std::string_view name) const noexcept {
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), name, name_less);
  return at != entries_.end() && at->first == name ? &at->second : nullptr;
}

std::optional<std::string> Metadata::text(std::string_view name) const {
  const Scalar* value = find(name);
  const auto* text = value ? std::get_if<std::string>(value) : nullptr;
  return text ? std::optional(*text) : std::nullopt;
}

}  // namespace ragstone
