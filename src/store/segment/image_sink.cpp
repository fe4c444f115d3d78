#include "store/segment/image_sink.hpp"

#include "store/segment/file_system.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace ragstone::segment {
namespace {

// As large as a large page, and written where one begins, so that a file system can keep the file in large pages: a
// search that comes to rows here and there then faults once for each 2 MiB instead of for each row (ext4 since 6.16).
constexpr std::size_t kBuffer = std::size_t{2} << 20;

}  // namespace

void StringSink::write(std::uint64_t offset, std::string_view bytes) {
  if (offset == image_.size()) {
    image_.append(bytes);
    return;
  }
  if (image_.size() < offset + bytes.size()) image_.resize(offset + bytes.size());
  image_.replace(offset, bytes.size(), bytes);
}

void HeapSink::write(std::uint64_t offset, std::string_view bytes) {
  const std::size_t end = offset + bytes.size();
  if (!image_ || end > image_->bytes().size()) grow(std::max(end, 2 * size_));
  if (end > size_) {
    std::memset(image_->data() + size_, 0, end - size_);
    size_ = end;
  }
  if (!bytes.empty()) std::memcpy(image_->data() + offset, bytes.data(), bytes.size());
}

void HeapSink::grow(std::size_t capacity) {
  auto larger = std::make_shared<HeapImage>(capacity);
  if (size_ > 0) std::memcpy(larger->data(), image_->data(), size_);
  image_ = std::move(larger);
}

std::shared_ptr<const Image> HeapSink::take() && {
  if (!image_) image_ = std::make_shared<HeapImage>(0);
  image_->shrink(size_);
  return std::move(image_);
}

void FileSink::write(std::uint64_t offset, std::string_view bytes) {
  if (offset != begin_ + buffer_.size()) {
    flush();
    begin_ = offset;
  }
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kBuffer - (begin_ + buffer_.size()) % kBuffer);
    buffer_.append(piece);
    bytes.remove_prefix(piece.size());
    if ((begin_ + buffer_.size()) % kBuffer == 0) flush();
  }
}

void FileSink::flush() {
  if (buffer_.empty()) return;
  file_.write(begin_, buffer_);
  begin_ += buffer_.size();
  written_ += buffer_.size();
  buffer_.clear();
}

}  // namespace ragstone::segment
