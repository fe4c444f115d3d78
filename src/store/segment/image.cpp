#include "store/segment/image.hpp"

#include <cstring>

#include <sys/mman.h>

namespace ragstone::segment {
namespace {

constexpr std::align_val_t kAlignment{64};
constexpr std::size_t kLargePage = std::size_t{2} << 20;
// From here on the last page that is not full does not count.
constexpr std::size_t kLargeImage = 4 * kLargePage;

std::align_val_t alignment_for(std::size_t size) noexcept {
  return size >= kLargeImage ? std::align_val_t{kLargePage} : kAlignment;
}

}  // namespace

HeapImage::HeapImage(std::size_t size)
    : size_(size),
      alignment_(alignment_for(size)),
      bytes_(static_cast<std::byte*>(::operator new(size + 1, alignment_))) {
#ifdef MADV_HUGEPAGE
  // What fails leaves small pages.
  if (size >= kLargeImage) ::madvise(bytes_, size / kLargePage * kLargePage, MADV_HUGEPAGE);
#endif
}

HeapImage::~HeapImage() { ::operator delete(bytes_, alignment_); }

std::shared_ptr<const Image> heap_image(std::string_view bytes) {
  auto image = std::make_shared<HeapImage>(bytes.size());
  if (!bytes.empty()) std::memcpy(image->data(), bytes.data(), bytes.size());
  return image;
}

}  // namespace ragstone::segment
