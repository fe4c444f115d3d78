#pragma once

#include "store/segment/container.hpp"
#include "store/segment/part.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace ragstone::segment {

/// Notes what is asked of the system. For one thread.
class ToldImage final : public Image {
 public:
  struct Range {
    std::size_t offset = 0;
    std::size_t size = 0;

    bool operator==(const Range&) const = default;
  };

  explicit ToldImage(const std::string& bytes) : image_(heap_image(bytes)) {}

  std::span<const std::byte> bytes() const noexcept override { return image_->bytes(); }
  void expect_random_reads(std::size_t offset, std::size_t size) const noexcept override {
    random.push_back({offset, size});
  }
  void expect_scans(std::size_t offset, std::size_t size) const noexcept override { scans.push_back({offset, size}); }
  void expect_reading(std::size_t offset, std::size_t size) const noexcept override {
    readings.push_back({offset, size});
  }

  mutable std::vector<Range> random;
  mutable std::vector<Range> scans;
  mutable std::vector<Range> readings;

 private:
  std::shared_ptr<const Image> image_;
};

inline ToldImage::Range range_of(const Container& container, SectionId id) {
  const Section& section = *container.find_section(id);
  return {static_cast<std::size_t>(section.offset), static_cast<std::size_t>(section.bytes)};
}

}  // namespace ragstone::segment
