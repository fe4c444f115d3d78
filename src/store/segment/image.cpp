#include "store/segment/image.hpp"

#include "kernel/large_pages.hpp"
#include "store/segment/file_system.hpp"

#include <algorithm>
#include <cstring>

namespace ragstone::segment {
namespace {

constexpr std::align_val_t kAlignment{64};
constexpr std::size_t kBytesAtOnce = std::size_t{4} << 20;

std::align_val_t alignment_for(std::size_t size) noexcept {
  return size >= kernel::kWorthLargePages ? std::align_val_t{kernel::kLargePage} : kAlignment;
}

}  // namespace

HeapImage::HeapImage(std::size_t size)
    : size_(size),
      alignment_(alignment_for(size)),
      bytes_(static_cast<std::byte*>(::operator new(size + 1, alignment_))) {
  kernel::ask_for_large_pages(bytes_, size);
}

HeapImage::~HeapImage() { ::operator delete(bytes_, alignment_); }

std::shared_ptr<const Image> heap_image(std::string_view bytes) {
  auto image = std::make_shared<HeapImage>(bytes.size());
  if (!bytes.empty()) std::memcpy(image->data(), bytes.data(), bytes.size());
  return image;
}

void write_image(OutputFile& file, const Image& image, const StopToken& stop) {
  const std::span<const std::byte> bytes = image.bytes();
  for (std::size_t at = 0; at < bytes.size(); at += kBytesAtOnce) {
    throw_if_stopped(stop);
    const std::size_t size = std::min(kBytesAtOnce, bytes.size() - at);
    file.write(at, {reinterpret_cast<const char*>(bytes.data()) + at, size});
  }
}

}  // namespace ragstone::segment
