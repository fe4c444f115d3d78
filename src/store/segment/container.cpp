#include "store/segment/container.hpp"

#include "kernel/stop_poll.hpp"
#include "store/segment/container_layout.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>
#include <utility>

namespace ragstone::segment {
namespace {

constexpr std::size_t kBlocksReadAhead = 128;
// Less is read whole sooner than page by page.
constexpr std::size_t kMinRandomBytes = std::size_t{1} << 20;

/// Whether the section's bytes are divided evenly among the rows.
bool is_by_row(SectionId section) noexcept {
  switch (section) {
    case SectionId::nodes:
    case SectionId::sources:
    case SectionId::contents:
    case SectionId::vectors:
    case SectionId::codes:
    case SectionId::code_scales:
    case SectionId::norms:
    case SectionId::lengths:
    case SectionId::graph_factors:
    case SectionId::bits:
    case SectionId::nibbles:
    case SectionId::nibble_scales:
      return true;
    default:
      return false;
  }
}

Finding::Loss loss_of(SectionId section) noexcept {
  switch (section) {
    case SectionId::block_sums:
    case SectionId::content_order:
    case SectionId::codes:
    case SectionId::code_scales:
    case SectionId::norms:
    case SectionId::graph_header:
    case SectionId::graph_links:
    case SectionId::graph_upper:
    case SectionId::graph_factors:
    case SectionId::graph_originals:
    case SectionId::graph_copies:
    case SectionId::bits:
    case SectionId::nibbles:
    case SectionId::nibble_scales:
      return Finding::Loss::nothing;
    case SectionId::vectors:
      return Finding::Loss::rows;
    default:
      return Finding::Loss::part;
  }
}

}  // namespace

void throw_corrupt(const std::string& reason) {
  throw Error(Errc::corrupt_store, "segment: " + reason + "; verify the store, then recover it");
}

const char* name_of(SectionId section) noexcept {
  switch (section) {
    case SectionId::block_sums:
      return "block sums";
    case SectionId::nodes:
      return "nodes";
    case SectionId::sources:
      return "sources";
    case SectionId::contents:
      return "contents";
    case SectionId::content_order:
      return "content order";
    case SectionId::vectors:
      return "vectors";
    case SectionId::codes:
      return "codes";
    case SectionId::code_scales:
      return "code scales";
    case SectionId::norms:
      return "norms";
    case SectionId::lengths:
      return "lengths";
    case SectionId::term_blocks:
      return "term blocks";
    case SectionId::terms:
      return "terms";
    case SectionId::graph_header:
      return "graph header";
    case SectionId::graph_links:
      return "graph links";
    case SectionId::graph_upper:
      return "graph's upper levels";
    case SectionId::graph_factors:
      return "graph factors";
    case SectionId::graph_originals:
      return "graph originals";
    case SectionId::graph_copies:
      return "graph copies";
    case SectionId::bits:
      return "bits";
    case SectionId::nibbles:
      return "nibbles";
    case SectionId::nibble_scales:
      return "nibble scales";
    case SectionId::posting_lists:
      return "posting lists";
    case SectionId::index_form:
      return "form of the index";
    case SectionId::index_1:
    case SectionId::index_9:
      return "sections of the index";
    case SectionId::field_names:
      return "field names";
    case SectionId::field_codes:
      return "field codes";
    case SectionId::field_counts:
      return "field counts";
    case SectionId::value_ends:
      return "value ends";
    case SectionId::values:
      return "values";
  }
  return "unknown section";
}

Container::Container(std::shared_ptr<const Image> image, Kind kind) : image_(std::move(image)) {
  read_header(kind);
  place_block_sums();
}

void Container::read_header(Kind kind) {
  const std::span<const std::byte> bytes = image_->bytes();
  if (bytes.size() < sizeof(StoredHeader)) throw_corrupt("shorter than its header");
  StoredHeader header;
  std::memcpy(&header, bytes.data(), sizeof header);
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0) throw_corrupt("does not begin as one");
  const std::size_t table_bytes = std::size_t{std::min<std::uint32_t>(header.sections, kMaxSections)} * sizeof(Section);
  const bool has_table = header.sections <= kMaxSections && bytes.size() - sizeof header >= table_bytes;
  const std::string_view table(reinterpret_cast<const char*>(bytes.data()) + sizeof header,
                               has_table ? table_bytes : 0);
  const std::uint32_t version = std::exchange(header.version, kFormatVersion);
  const bool holds = has_table && header.checksum == header_checksum(header, table);
  // What is whole but for its version is no other version's.
  if (version < kFormatVersion && !holds)
    throw Error(Errc::unsupported, "segment: format version " + std::to_string(version) +
                                       " is of an early Ragstone and not read any more; make the store anew");
  if (version > kFormatVersion && !holds)
    throw Error(Errc::unsupported, "segment: format version " + std::to_string(version) +
                                       " is newer than this program's; open the store with a newer Ragstone");
  if (version != kFormatVersion || !holds) throw_corrupt("damaged header");
  if (header.kind != static_cast<std::uint32_t>(kind)) throw_corrupt("of another kind than its name says");
  if (header.size != bytes.size())
    throw_corrupt(std::to_string(bytes.size()) + " bytes where its header says " + std::to_string(header.size));
  if (header.rows > UINT32_MAX) throw_corrupt("too many rows");
  generation_ = header.generation;
  rows_ = static_cast<std::size_t>(header.rows);
  parameter_ = header.parameter;
  read_table(header.sections, header.alignment);
}

void Container::read_table(std::size_t count, std::size_t alignment) {
  if (alignment < 8 || alignment > 4096 || !std::has_single_bit(alignment)) throw_corrupt("impossible alignment");
  const std::span<const std::byte> bytes = image_->bytes();
  sections_.resize(count);
  if (count > 0) std::memcpy(sections_.data(), bytes.data() + sizeof(StoredHeader), count * sizeof(Section));
  std::uint64_t free = sizeof(StoredHeader) + count * sizeof(Section);
  for (std::size_t i = 0; i < count; ++i) {
    const Section& section = sections_[i];
    const bool repeated = std::any_of(sections_.begin(), sections_.begin() + static_cast<std::ptrdiff_t>(i),
                                      [&](const Section& other) { return other.id == section.id; });
    if (repeated || section.element_bytes == 0 || section.bytes % section.element_bytes != 0 ||
        section.offset % alignment != 0 || section.offset < free || section.offset > bytes.size() ||
        section.bytes > bytes.size() - section.offset)
      throw_corrupt("impossible section table");
    free = section.offset + section.bytes;
  }
}

void Container::place_block_sums() {
  std::size_t sums = 0;
  for (const Section& section : sections_) {
    first_sum_.push_back(sums);
    if (is_large(section)) sums += blocks_of(section.bytes);
  }
  if (sums > 0) array<std::uint64_t>(SectionId::block_sums, sums);
}

bool Container::has(SectionId section) const noexcept { return find_section(section) != nullptr; }

const Section* Container::find_section(SectionId section) const noexcept {
  const auto found =
      std::find_if(sections_.begin(), sections_.end(), [&](const Section& s) { return s.id == section; });
  return found == sections_.end() ? nullptr : &*found;
}

const Section& Container::find(SectionId section) const {
  const Section* found = find_section(section);
  if (!found) throw_corrupt(std::string(name_of(section)) + " are missing");
  return *found;
}

std::string_view Container::slice(const Section& section) const noexcept {
  return {reinterpret_cast<const char*>(image_->bytes().data()) + section.offset,
          static_cast<std::size_t>(section.bytes)};
}

std::string_view Container::bytes(SectionId section) const { return slice(find(section)); }

const void* Container::checked(SectionId id, std::size_t element_bytes, std::size_t count) const {
  const Section& section = find(id);
  if (section.element_bytes != element_bytes || section.bytes / element_bytes != count)
    throw_corrupt(std::string(name_of(id)) + " have another shape than its header says");
  return image_->bytes().data() + section.offset;
}

void Container::expect_random_reads(SectionId id) const {
  const Section& section = find(id);
  if (section.bytes >= kMinRandomBytes) image_->expect_random_reads(section.offset, section.bytes);
}

void Container::expect_few_reads(SectionId id) const {
  const Section& section = find(id);
  image_->expect_random_reads(section.offset, section.bytes);
}

void Container::expect_scans(SectionId id) const {
  const Section& section = find(id);
  image_->expect_scans(section.offset, section.bytes);
}

void Container::expect_reading(SectionId id, std::size_t offset, std::size_t size) const {
  const Section& section = find(id);
  if (offset < section.bytes) image_->expect_reading(section.offset + offset, std::min(size, section.bytes - offset));
}

std::span<const std::uint64_t> Container::sums_of(const Section& section) const {
  const auto at = static_cast<std::size_t>(&section - sections_.data());
  return array<std::uint64_t>(SectionId::block_sums).subspan(first_sum_[at], blocks_of(section.bytes));
}

bool Container::is_sound(SectionId id, std::size_t block) const {
  const Section& section = find(id);
  const std::string_view bytes = slice(section);
  if (!is_large(section)) return checksum_of(bytes) == section.checksum;
  return checksum_of(bytes.substr(block * kBlockBytes, kBlockBytes)) == sums_of(section)[block];
}

std::vector<std::size_t> Container::damaged_blocks(SectionId id, const StopToken& stop) const {
  const Section& section = find(id);
  const std::string_view bytes = slice(section);
  if (!is_large(section)) {
    throw_if_stopped(stop);
    return checksum_of(bytes) == section.checksum ? std::vector<std::size_t>() : std::vector<std::size_t>{0};
  }
  kernel::StopPoll poll(stop);
  const std::size_t count = blocks_of(section.bytes);
  const std::span<const std::uint64_t> sums = sums_of(section);
  std::vector<std::size_t> damaged;
  for (std::size_t block = 0; block < count; ++block) {
    poll.spend(10'000);
    if (block % kBlocksReadAhead == 0)
      image_->expect_reading(section.offset + block * kBlockBytes, kBlocksReadAhead * kBlockBytes);
    if (checksum_of(bytes.substr(block * kBlockBytes, kBlockBytes)) != sums[block]) damaged.push_back(block);
  }
  const bool sums_hold =
      checksum_of({reinterpret_cast<const char*>(sums.data()), sums.size_bytes()}) == section.checksum;
  if (!sums_hold && damaged.empty()) {
    damaged.resize(count);
    std::iota(damaged.begin(), damaged.end(), std::size_t{0});
  }
  return damaged;
}

std::vector<Finding> Container::damaged_sections(const StopToken& stop) const {
  std::vector<Finding> findings;
  for (const Section& section : sections_) {
    const std::vector<std::size_t> blocks = damaged_blocks(section.id, stop);
    if (blocks.empty()) continue;
    Finding finding;
    finding.section = section.id;
    finding.problem = std::string(name_of(section.id)) + ": " + std::to_string(blocks.size()) + " of " +
                      std::to_string(std::max<std::size_t>(1, blocks_of(section.bytes))) +
                      " blocks do not match their checksums";
    finding.loss = loss_of(section.id);
    const std::uint64_t row_bytes = is_by_row(section.id) && rows_ > 0 ? section.bytes / rows_ : 0;
    for (const std::size_t block : blocks) {
      if (row_bytes == 0) break;
      const std::uint64_t first = std::uint64_t{block} * kBlockBytes / row_bytes;
      const std::uint64_t end = (std::min<std::uint64_t>((block + 1) * kBlockBytes, section.bytes) - 1) / row_bytes + 1;
      for (std::uint64_t row = first; row < std::min<std::uint64_t>(end, rows_); ++row)
        if (finding.rows.empty() || finding.rows.back() < row) finding.rows.push_back(static_cast<std::uint32_t>(row));
    }
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace ragstone::segment
