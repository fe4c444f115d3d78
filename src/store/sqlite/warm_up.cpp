#include "store/sqlite/warm_up.hpp"

#include <algorithm>
#include <cstddef>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

namespace ragstone::sqlite {
namespace {

// The system takes up one call whole before it returns: between calls the thread looks whether it is to end.
constexpr std::size_t kBytesAtOnce = std::size_t{2} << 20;

std::vector<const segment::Image*> sealed_images(const State& state) {
  std::vector<const segment::Image*> images;
  for (const auto& [definition, column] : state.columns)
    for (const Part& part : column->parts)
      if (!part.is_staged())
        images.push_back(std::visit([](const auto& data) { return &data->container().image(); }, part.data));
  std::sort(images.begin(), images.end(),
            [](const segment::Image* a, const segment::Image* b) { return a->bytes().size() < b->bytes().size(); });
  return images;
}

/// Allocates nothing: an exception would end the process.
void read_ahead(const std::vector<const segment::Image*>& images, const std::stop_token& stop) noexcept {
  for (const segment::Image* image : images)
    for (std::size_t at = 0; at < image->bytes().size(); at += kBytesAtOnce) {
      if (stop.stop_requested()) return;
      image->expect_reading(at, std::min(kBytesAtOnce, image->bytes().size() - at));
    }
}

}  // namespace

WarmUp::WarmUp(std::shared_ptr<const State> state) {
  try {
    std::vector<const segment::Image*> images = sealed_images(*state);
    thread_ = std::jthread([state = std::move(state), images = std::move(images)](const std::stop_token& stop) {
      read_ahead(images, stop);
    });
  } catch (const std::system_error&) {
    // The first searches wait for the disk, then.
  }
}

}  // namespace ragstone::sqlite
