#include <ragstone/base/error.hpp>
#include <ragstone/base/metadata.hpp>
#include <ragstone/base/utf8.hpp>

#include <algorithm>
#include <cmath>

namespace ragstone {
namespace {

constexpr std::size_t kMaxNameBytes = 255;

bool has_control(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size();) {
    const utf8::Decoded decoded = utf8::decode(text, at);
    if (decoded.code_point < 0x20 || (decoded.code_point >= 0x7F && decoded.code_point < 0xA0)) return true;
    at += decoded.size;
  }
  return false;
}

void check_name(std::string_view name) {
  if (name.empty()) throw Error(Errc::invalid_argument, "metadata: a name is empty; give it at least one character");
  if (name.size() > kMaxNameBytes)
    throw Error(Errc::invalid_argument,
                "metadata: a name has " + std::to_string(name.size()) + " bytes; at most 255 are allowed");
  if (const std::size_t bad = utf8::find_invalid(name); bad != utf8::npos)
    throw Error(Errc::invalid_argument, "metadata: a name is not valid UTF-8 at byte " + std::to_string(bad));
  if (has_control(name)) throw Error(Errc::invalid_argument, "metadata: a name holds a control character; remove it");
}

void check_value(const std::string& name, const Scalar& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    if (const std::size_t bad = utf8::find_invalid(*text); bad != utf8::npos)
      throw Error(Errc::invalid_argument, "metadata: the value of '" + name + "' is not valid UTF-8 at byte " +
                                              std::to_string(bad) + "; convert it first");
  } else if (const auto* number = std::get_if<double>(&value); number && !std::isfinite(*number)) {
    throw Error(Errc::invalid_argument, "metadata: the value of '" + name + "' is not a finite number; leave it out");
  }
}

bool name_less(const Metadata::Entry& entry, std::string_view name) noexcept {
  return std::string_view(entry.first) < name;
}

}  // namespace

Metadata::Metadata(std::initializer_list<Entry> entries) {
  for (const Entry& entry : entries) set(entry.first, entry.second);
}

void Metadata::set(std::string name, Scalar value) {
  check_name(name);
  check_value(name, value);
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
