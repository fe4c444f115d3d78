#include "store/sqlite/warm_up.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include <sys/mman.h>

namespace ragstone::sqlite {
namespace {

// The system takes up one call whole before it returns: between calls the thread looks whether it is to end.
constexpr std::size_t kBytesAtOnce = std::size_t{2} << 20;

std::vector<std::span<const std::byte>> sealed_images(const State& state) {
  std::vector<std::span<const std::byte>> images;
  for (const auto& [definition, column] : state.columns)
    for (const Part& part : column->parts)
      if (!part.is_staged())
        images.push_back(std::visit([](const auto& data) { return data->container().image().bytes(); }, part.data));
  std::sort(images.begin(), images.end(), [](const auto& a, const auto& b) { return a.size() < b.size(); });
  return images;
}

void read_ahead(const State& state, const std::stop_token& stop) {
  for (const std::span<const std::byte> image : sealed_images(state))
    for (std::size_t at = 0; at < image.size(); at += kBytesAtOnce) {
      if (stop.stop_requested()) return;
      // Mappings begin at a page. It is advice: what cannot follow it reads later.
      auto* begin = const_cast<std::byte*>(image.data() + at);
      ::madvise(begin, std::min(kBytesAtOnce, image.size() - at), MADV_WILLNEED);
    }
}

}  // namespace

WarmUp::WarmUp(std::shared_ptr<const State> state)
    : thread_([state = std::move(state)](const std::stop_token& stop) { read_ahead(*state, stop); }) {}

}  // namespace ragstone::sqlite
