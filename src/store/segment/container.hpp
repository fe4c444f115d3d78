#pragma once

#include "store/segment/image_sink.hpp"
#include "store/segment/part.hpp"
#include <ragstone/base/ids.hpp>
#include <ragstone/base/stop.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The one format of images: a header, a table of sections, and the sections. src/store/FORMAT.md describes it.
namespace ragstone::segment {

enum class Kind : std::uint32_t { dense = 1, sparse = 2, index = 3, fields = 4 };

enum class SectionId : std::uint32_t {
  block_sums = 1,
  nodes = 2,
  sources = 3,
  contents = 4,
  content_order = 5,
  vectors = 6,
  codes = 7,
  code_scales = 8,
  norms = 9,
  lengths = 10,
  term_blocks = 11,
  terms = 12,
  graph_header = 20,
  graph_links = 21,
  graph_upper = 22,
  graph_factors = 23,
  graph_originals = 24,
  graph_copies = 25,
  bits = 26,
  nibbles = 27,
  nibble_scales = 28,
  posting_lists = 40,
  index_form = 60,
  index_1 = 61,  ///< Those of the index itself, up to index_9.
  index_9 = 69,
  field_names = 70,
  field_codes = 71,
  field_counts = 72,
  value_ends = 73,
  values = 74,
};

const char* name_of(SectionId section) noexcept;

/// One entry of the table, as it is stored.
struct Section {
  SectionId id{};
  std::uint32_t element_bytes = 0;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::uint64_t checksum = 0;  ///< XXH3-64 of the bytes, or of its block sums where it is larger than one block.
};

/// A damaged block of a section costs only the rows in it.
inline constexpr std::size_t kBlockBytes = std::size_t{64} << 10;

/// What verify() found wrong.
struct Finding {
  enum class Loss {
    nothing,  ///< The rest of the part holds what is needed to derive it again: merge_dense() does.
    rows,     ///< The vectors of `rows` are lost.
    part,     ///< Rows of the part cannot be told or trusted any more: build it anew.
  };

  SectionId section{};
  std::string problem;
  Loss loss = Loss::part;
  std::vector<std::uint32_t> rows;  ///< Ascending; the rows that it touches, where that is known.
};

/// Throws Errc::corrupt_store with a message that names the part's reason and the way out.
[[noreturn]] void throw_corrupt(const std::string& reason);

/// The header and section table of an image. Opening checks them, at a cost that no number of rows changes; the bytes
/// of sections may still hold anything.
class Container {
 public:
  /// Errors: Errc::corrupt_store, also for an image of another kind; Errc::unsupported for a newer format version.
  Container(std::shared_ptr<const Image> image, Kind kind);

  Generation generation() const noexcept { return generation_; }
  std::size_t rows() const noexcept { return rows_; }
  /// What the kind wants to know before it reads a section.
  std::uint64_t parameter() const noexcept { return parameter_; }
  const Image& image() const noexcept { return *image_; }
  /// Of the whole image.
  std::size_t size() const noexcept { return image_->bytes().size(); }

  bool has(SectionId section) const noexcept;
  /// Errors: Errc::corrupt_store if it is missing.
  std::string_view bytes(SectionId section) const;
  /// Null if it is missing.
  const Section* find_section(SectionId section) const noexcept;
  /// `count` elements. Errors: Errc::corrupt_store if it is missing or has another shape.
  template <class T>
  std::span<const T> array(SectionId section, std::size_t count) const {
    return {static_cast<const T*>(checked(section, sizeof(T), count)), count};
  }
  /// As array(), with as many elements as there are.
  template <class T>
  std::span<const T> array(SectionId section) const {
    return array<T>(section, bytes(section).size() / sizeof(T));
  }

  /// Tells the image that a section will be read here and there, unless it is read whole sooner than page by page.
  void expect_random_reads(SectionId section) const;
  /// Tells it that little of a section will be read, however small it is.
  void expect_few_reads(SectionId section) const;
  /// Takes that back.
  void expect_scans(SectionId section) const;
  /// Tells it that bytes of a section will soon be read.
  void expect_reading(SectionId section, std::size_t offset, std::size_t size) const;

  /// The numbers of the section's blocks (kBlockBytes each, the last one shorter) that do not match their checksums.
  std::vector<std::size_t> damaged_blocks(SectionId section, const StopToken& stop) const;
  /// Whether one block matches its checksum.
  bool is_sound(SectionId section, std::size_t block) const;
  /// One for each section with damaged blocks, with the rows in them where an element is a row's.
  std::vector<Finding> damaged_sections(const StopToken& stop) const;

 private:
  const Section& find(SectionId section) const;
  const void* checked(SectionId section, std::size_t element_bytes, std::size_t count) const;
  std::string_view slice(const Section& section) const noexcept;
  /// Of a large section.
  std::span<const std::uint64_t> sums_of(const Section& section) const;
  void read_header(Kind kind);
  void read_table(std::size_t count, std::size_t alignment);
  void place_block_sums();

  std::shared_ptr<const Image> image_;
  Generation generation_ = 0;
  std::size_t rows_ = 0;
  std::uint64_t parameter_ = 0;
  std::vector<Section> sections_;
  std::vector<std::size_t> first_sum_;  ///< Of each section: the number of its first block's sum.
};

/// Writes an image in a stream: sections one after the other, the header last.
class ContainerWriter {
 public:
  struct Header {
    Kind kind{};
    Generation generation = 0;
    std::uint64_t rows = 0;
    std::uint64_t parameter = 0;
  };

  /// `sections`: how many will be written at most. `sink` outlives the writer.
  ContainerWriter(ImageSink& sink, const Header& header, std::size_t sections);

  void begin(SectionId section, std::size_t element_bytes);
  void append(std::string_view bytes);
  template <class T>
  void append(std::span<const T> values) {
    append(std::string_view(reinterpret_cast<const char*>(values.data()), values.size_bytes()));
  }
  template <class T>
  void append_value(const T& value) {
    append(std::string_view(reinterpret_cast<const char*>(&value), sizeof value));
  }
  void end();
  /// Writes the block sums, the table and the header.
  void finish();

 private:
  void end_block();

  ImageSink& sink_;
  Header header_;
  std::size_t capacity_;
  std::uint64_t at_ = 0;
  std::vector<Section> sections_;
  std::string block_;                       ///< What is not summed yet of the section that is written.
  std::vector<std::uint64_t> block_sums_;   ///< Of that section.
  std::vector<std::uint64_t> stored_sums_;  ///< Of all large sections.
};

}  // namespace ragstone::segment
