#pragma once

#include "store/segment/image.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace ragstone::segment {

class OutputFile;

/// Where an image is written.
class ImageSink {
 public:
  virtual ~ImageSink() = default;

  /// Writes in any order; bytes that are never written are zero.
  virtual void write(std::uint64_t offset, std::string_view bytes) = 0;
  /// Sections begin at multiples of this: a power of two, 8 to 4,096.
  virtual std::size_t alignment() const noexcept = 0;
  /// About how many bytes will be written. A hint.
  virtual void expect(std::uint64_t /*bytes*/) {}
};

/// An image in memory.
class StringSink final : public ImageSink {
 public:
  explicit StringSink(std::size_t alignment = 64) : alignment_(alignment) {}

  void write(std::uint64_t offset, std::string_view bytes) override;
  std::size_t alignment() const noexcept override { return alignment_; }

  std::string take() && { return std::move(image_); }

 private:
  std::size_t alignment_;
  std::string image_;
};

/// An image in memory that can be opened as it is.
class HeapSink final : public ImageSink {
 public:
  void write(std::uint64_t offset, std::string_view bytes) override;
  std::size_t alignment() const noexcept override { return 64; }
  void expect(std::uint64_t bytes) override { grow(bytes); }

  std::shared_ptr<const Image> take() &&;

 private:
  void grow(std::size_t capacity);

  std::shared_ptr<HeapImage> image_;
  std::size_t size_ = 0;
};

/// An image in a file. Adjoining writes are gathered into large ones; the last ones need flush(). The caller syncs.
class FileSink final : public ImageSink {
 public:
  /// `file` outlives the sink.
  explicit FileSink(OutputFile& file) : file_(file) {}

  void write(std::uint64_t offset, std::string_view bytes) override;
  std::size_t alignment() const noexcept override { return 4096; }

  void flush();
  /// Handed to the file so far.
  std::uint64_t bytes_written() const noexcept { return written_; }

 private:
  OutputFile& file_;
  std::uint64_t begin_ = 0;  ///< Where the buffer's bytes belong.
  std::string buffer_;
  std::uint64_t written_ = 0;
};

}  // namespace ragstone::segment
