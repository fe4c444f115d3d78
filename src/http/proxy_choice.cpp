#include "http/proxy_choice.hpp"

#include "http/ascii_case.hpp"

#include <algorithm>
#include <cstdlib>
#include <initializer_list>

namespace ragstone::detail {
namespace {

std::string first_set(std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') return value;
  return {};
}

}  // namespace

bool is_exempt(std::string_view list, std::string_view host) {
  constexpr std::string_view kBetween = ", \t";
  while (!list.empty()) {
    const std::size_t end = std::min(list.find_first_of(kBetween), list.size());
    std::string_view entry = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    if (entry == "*") return true;
    if (entry.starts_with("[") && entry.ends_with("]")) entry = entry.substr(1, entry.size() - 2);
    if (entry.starts_with(".")) entry.remove_prefix(1);
    if (entry.empty() || entry.size() > host.size()) continue;
    const std::size_t before = host.size() - entry.size();
    if (same_name(host.substr(before), entry) && (before == 0 || host[before - 1] == '.')) return true;
  }
  return false;
}

std::string proxy_for(const Url& url, const HttpOptions& options) {
  if (!options.proxy.empty() || !options.proxy_from_environment) return options.proxy;
  const std::string own = url.is_https() ? first_set({"https_proxy", "HTTPS_PROXY"}) : first_set({"http_proxy"});
  const std::string proxy = own.empty() ? first_set({"all_proxy", "ALL_PROXY"}) : own;
  return is_exempt(first_set({"no_proxy", "NO_PROXY"}), url.host()) ? std::string() : proxy;
}

}  // namespace ragstone::detail
