#include "store/segment/image.hpp"

#include "kernel/large_pages.hpp"

#include <cstring>

namespace ragstone::segment {
namespace {

constexpr std::align_val_t kAlignment{64};

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

}  // namespace ragstone::segment
