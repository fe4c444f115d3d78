#include "check/include_rules.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

namespace ragstone::check {
namespace {

/// From low to high; src/README.md describes them.
constexpr std::array<std::string_view, 12> kLayers{"base", "text",  "kernel", "index", "store", "async",
                                                   "http", "model", "reader", "rag",   "graph", "app"};

/// What awaitable signatures and their templates need; none starts a loop, opens a socket or sets a timer.
constexpr std::array<std::string_view, 9> kAsioInPublicHeaders{"boost/asio/any_io_executor.hpp",
                                                               "boost/asio/associated_cancellation_slot.hpp",
                                                               "boost/asio/async_result.hpp",
                                                               "boost/asio/awaitable.hpp",
                                                               "boost/asio/cancellation_signal.hpp",
                                                               "boost/asio/co_spawn.hpp",
                                                               "boost/asio/executor_work_guard.hpp",
                                                               "boost/asio/post.hpp",
                                                               "boost/asio/this_coro.hpp"};

std::optional<std::size_t> layer_number(std::string_view name) {
  const auto found = std::find(kLayers.begin(), kLayers.end(), name);
  if (found == kLayers.end()) return std::nullopt;
  return static_cast<std::size_t>(found - kLayers.begin());
}

std::string_view first_folder(std::string_view path) { return path.substr(0, path.find('/')); }

/// The part of a path that starts with the layer: of "include/ragstone/base/x.hpp" and "src/base/x.cpp", "base/x...".
std::string_view below_root(std::string_view file) {
  for (const std::string_view root : {"include/ragstone/", "src/", "ragstone/"})
    if (file.starts_with(root)) return file.substr(root.size());
  return file;
}

}  // namespace

std::vector<Finding> layer_findings(const std::filesystem::path& file, std::string_view source) {
  const std::string name = file.generic_string();
  if (name == "include/ragstone/ragstone.hpp") return {};
  const std::string own(first_folder(below_root(name)));
  const auto own_number = layer_number(own);
  if (!own_number) return {{1, "'" + own + "' is no layer"}};

  std::vector<Finding> found;
  for (const Include& include : includes_of(source)) {
    if (include.path == "ragstone/ragstone.hpp") {
      found.push_back({include.line, "the umbrella header is for users, layers name what they need"});
      continue;
    }
    const bool own_code = include.quoted || include.path.starts_with("ragstone/");
    const std::string other(first_folder(below_root(include.path)));
    if (const auto other_number = layer_number(other); own_code && other_number && *other_number > *own_number)
      found.push_back({include.line, own + " includes " + include.path + " of the higher layer " + other});
    if (include.path.starts_with("boost/asio") && *own_number < *layer_number("async"))
      found.push_back({include.line, own + " is synchronous, but includes " + include.path});
  }
  return found;
}

std::vector<Finding> public_header_findings(std::string_view source) {
  std::vector<Finding> found;
  for (const Include& include : includes_of(source)) {
    const std::string& path = include.path;
    const bool standard = !include.quoted && path.find_first_of("/.") == path.npos;
    const bool small_asio =
        std::find(kAsioInPublicHeaders.begin(), kAsioInPublicHeaders.end(), path) != kAsioInPublicHeaders.end();
    if (standard || small_asio || path.starts_with("ragstone/") || path.starts_with("boost/system/")) continue;
    found.push_back({include.line, "a public header includes " + path});
  }
  return found;
}

}  // namespace ragstone::check
