#include "store/segment/container.hpp"
#include "store/segment/container_layout.hpp"
#include <ragstone/base/error.hpp>

#include <cstring>

#include <xxhash.h>

namespace ragstone::segment {

std::uint64_t checksum_of(std::string_view bytes) noexcept { return XXH3_64bits(bytes.data(), bytes.size()); }

std::uint64_t header_checksum(const StoredHeader& header, std::string_view table) {
  std::string bytes(reinterpret_cast<const char*>(&header), offsetof(StoredHeader, checksum));
  bytes.append(table);
  return checksum_of(bytes);
}

ContainerWriter::ContainerWriter(ImageSink& sink, const Header& header, std::size_t sections)
    : sink_(sink), header_(header), capacity_(sections + 1) {
  if (capacity_ > kMaxSections) throw Error(Errc::internal, "segment writer: more sections than the format allows");
  at_ = sizeof(StoredHeader) + capacity_ * sizeof(Section);
}

void ContainerWriter::begin(SectionId section, std::size_t element_bytes) {
  if (sections_.size() == capacity_) throw Error(Errc::internal, "segment writer: more sections than announced");
  const std::uint64_t alignment = sink_.alignment();
  const std::uint64_t offset = (at_ + alignment - 1) / alignment * alignment;
  if (offset > at_) sink_.write(at_, std::string(offset - at_, '\0'));
  at_ = offset;
  sections_.push_back({section, static_cast<std::uint32_t>(element_bytes), offset, 0, 0});
}

void ContainerWriter::append(std::string_view bytes) {
  sink_.write(at_, bytes);
  at_ += bytes.size();
  sections_.back().bytes += bytes.size();
  while (!bytes.empty()) {
    if (block_.empty() && bytes.size() >= kBlockBytes) {
      block_sums_.push_back(checksum_of(bytes.substr(0, kBlockBytes)));
      bytes.remove_prefix(kBlockBytes);
      continue;
    }
    const std::string_view piece = bytes.substr(0, kBlockBytes - block_.size());
    block_.append(piece);
    bytes.remove_prefix(piece.size());
    if (block_.size() == kBlockBytes) end_block();
  }
}

void ContainerWriter::end_block() {
  block_sums_.push_back(checksum_of(block_));
  block_.clear();
}

void ContainerWriter::end() {
  Section& section = sections_.back();
  if (!block_.empty() || block_sums_.empty()) end_block();
  if (is_large(section)) {
    section.checksum = checksum_of(
        {reinterpret_cast<const char*>(block_sums_.data()), block_sums_.size() * sizeof block_sums_.front()});
    stored_sums_.insert(stored_sums_.end(), block_sums_.begin(), block_sums_.end());
  } else {
    section.checksum = block_sums_.front();
  }
  block_sums_.clear();
}

void ContainerWriter::finish() {
  if (!stored_sums_.empty()) {
    const std::vector<std::uint64_t> sums = std::move(stored_sums_);
    begin(SectionId::block_sums, sizeof(std::uint64_t));
    append(std::span(sums));
    sections_.back().checksum =
        checksum_of({reinterpret_cast<const char*>(sums.data()), sums.size() * sizeof sums.front()});
    block_.clear();
    block_sums_.clear();
  }
  const std::string_view table(reinterpret_cast<const char*>(sections_.data()), sections_.size() * sizeof(Section));
  StoredHeader header{};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.version = kFormatVersion;
  header.kind = static_cast<std::uint32_t>(header_.kind);
  header.generation = header_.generation;
  header.size = at_;
  header.rows = header_.rows;
  header.parameter = header_.parameter;
  header.sections = static_cast<std::uint32_t>(sections_.size());
  header.alignment = static_cast<std::uint32_t>(sink_.alignment());
  header.checksum = header_checksum(header, table);
  sink_.write(0, {reinterpret_cast<const char*>(&header), sizeof header});
  sink_.write(sizeof header, table);
  // An image ends here if no section holds a byte.
  const std::size_t unused = (capacity_ - sections_.size()) * sizeof(Section);
  if (unused > 0) sink_.write(sizeof header + table.size(), std::string(unused, '\0'));
}

}  // namespace ragstone::segment
