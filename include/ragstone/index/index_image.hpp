#pragma once

#include <ragstone/base/ids.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ragstone {

/// Sections of a saved index have the numbers 1 to this.
inline constexpr std::uint32_t kIndexSections = 9;

/// Takes what an Index saves.
class IndexOutput {
 public:
  virtual ~IndexOutput() = default;
  IndexOutput(const IndexOutput&) = delete;
  IndexOutput& operator=(const IndexOutput&) = delete;

  /// Writes a section, once for each number: elements of `element_bytes` (1, 2, 4 or 8), little-endian.
  /// Errors: Errc::invalid_argument (number, size, repetition); the medium's own.
  void write(std::uint32_t section, std::size_t element_bytes, std::string_view bytes);

 protected:
  IndexOutput() = default;

 private:
  virtual void do_write(std::uint32_t section, std::size_t element_bytes, std::string_view bytes) = 0;

  std::uint32_t written_ = 0;  ///< A bit for each number.
};

/// A saved index: immutable, mapped from a file or in memory. Opening one reads no section, so the bytes of sections
/// may hold anything: a reader checks what it uses. Thread-safe.
class IndexImage {
 public:
  virtual ~IndexImage() = default;

  virtual Generation generation() const noexcept = 0;
  /// The bytes of a section, aligned to its elements; empty where it was not written.
  /// Errors: Errc::corrupt_store if its elements have another size.
  std::string_view section(std::uint32_t number, std::size_t element_bytes) const;

 protected:
  struct Stored {
    std::string_view bytes;
    std::size_t element_bytes = 0;
  };

 private:
  virtual Stored do_section(std::uint32_t number) const = 0;
};

/// A saved index that stays in memory: write it, then share it as an image.
class MemoryIndexImage final : public IndexOutput, public IndexImage {
 public:
  explicit MemoryIndexImage(Generation generation) : generation_(generation), sections_(kIndexSections + 1) {}

  Generation generation() const noexcept override { return generation_; }
  /// Of all sections.
  std::size_t bytes() const noexcept;

 private:
  struct Section {
    std::vector<std::uint64_t> words;  ///< For their alignment.
    std::size_t bytes = 0;
    std::size_t element_bytes = 0;
  };

  void do_write(std::uint32_t section, std::size_t element_bytes, std::string_view bytes) override;
  Stored do_section(std::uint32_t number) const override;

  const Generation generation_;
  std::vector<Section> sections_;
};

}  // namespace ragstone
