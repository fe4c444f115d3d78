#pragma once

#include "store/segment/part.hpp"

#include <cstddef>
#include <memory>
#include <span>

namespace ragstone::segment {

/// Aligned memory that is filled before it is shared.
class HeapImage final : public Image {
 public:
  explicit HeapImage(std::size_t size);
  ~HeapImage() override;
  HeapImage(const HeapImage&) = delete;
  HeapImage& operator=(const HeapImage&) = delete;

  std::span<const std::byte> bytes() const noexcept override { return {bytes_, size_}; }
  std::byte* data() noexcept { return bytes_; }

 private:
  std::size_t size_;
  std::byte* bytes_;
};

}  // namespace ragstone::segment
