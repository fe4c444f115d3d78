#include "store/segment/image.hpp"

#include <cstring>
#include <new>

namespace ragstone::segment {
namespace {

constexpr std::align_val_t kAlignment{64};

}  // namespace

HeapImage::HeapImage(std::size_t size)
    : size_(size), bytes_(static_cast<std::byte*>(::operator new(size + 1, kAlignment))) {}

HeapImage::~HeapImage() { ::operator delete(bytes_, kAlignment); }

std::shared_ptr<const Image> heap_image(std::string_view bytes) {
  auto image = std::make_shared<HeapImage>(bytes.size());
  if (!bytes.empty()) std::memcpy(image->data(), bytes.data(), bytes.size());
  return image;
}

}  // namespace ragstone::segment
