#include "store/segment/image_sink.hpp"

#include "store/segment/file_system.hpp"

#include <utility>

namespace ragstone::segment {
namespace {

constexpr std::size_t kBuffer = std::size_t{512} << 10;

}  // namespace

void StringSink::write(std::uint64_t offset, std::string_view bytes) {
  if (image_.size() < offset + bytes.size()) image_.resize(offset + bytes.size());
  image_.replace(offset, bytes.size(), bytes);
}

void FileSink::write(std::uint64_t offset, std::string_view bytes) {
  if (offset != begin_ + buffer_.size()) {
    flush();
    begin_ = offset;
  }
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kBuffer - buffer_.size());
    buffer_.append(piece);
    bytes.remove_prefix(piece.size());
    if (buffer_.size() == kBuffer) flush();
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
