#pragma once

#include "store/segment/part.hpp"
#include <ragstone/base/stop.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <span>

namespace ragstone::segment {

/// Aligned memory that is filled before it is shared; in large pages where the system has them and the image is large.
class HeapImage final : public Image {
 public:
  explicit HeapImage(std::size_t size);
  ~HeapImage() override;
  HeapImage(const HeapImage&) = delete;
  HeapImage& operator=(const HeapImage&) = delete;

  std::span<const std::byte> bytes() const noexcept override { return {bytes_, size_}; }
  std::byte* data() noexcept { return bytes_; }
  /// `size` is at most what it was.
  void shrink(std::size_t size) noexcept { size_ = size; }

 private:
  std::size_t size_;
  std::align_val_t alignment_;
  std::byte* bytes_;
};

class OutputFile;

/// Writes the bytes of a whole image, in pieces between which `stop` is polled.
void write_image(OutputFile& file, const Image& image, const StopToken& stop);

}  // namespace ragstone::segment
