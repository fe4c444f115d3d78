#include "store/coding.hpp"
#include "store/segment/part.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace ragstone::segment {
namespace {

enum class Form : std::uint8_t { runs = 0, bits = 1 };

constexpr const char* kWhat = "dead rows of a segment";

std::size_t count_of(const std::vector<std::uint64_t>& bits) noexcept {
  std::size_t count = 0;
  for (const std::uint64_t word : bits) count += static_cast<std::size_t>(std::popcount(word));
  return count;
}

/// Gaps and lengths of the runs of dead rows, in turn.
std::string runs_of(const std::vector<std::uint32_t>& rows) {
  ByteWriter writer;
  writer.raw(Form::runs);
  std::uint64_t next = 0;
  for (std::size_t begin = 0; begin < rows.size();) {
    std::size_t end = begin + 1;
    while (end < rows.size() && rows[end] == rows[end - 1] + 1) ++end;
    writer.varint(rows[begin] - next);
    writer.varint(end - begin);
    next = std::uint64_t{rows[end - 1]} + 1;
    begin = end;
  }
  return std::move(writer).take();
}

void read_runs(ByteReader& reader, std::vector<std::uint64_t>& bits, std::size_t rows) {
  std::size_t next = 0;
  while (!reader.at_end()) {
    next += reader.varint(rows - next);
    const std::size_t end = next + reader.varint(rows - next);
    if (end == next) reader.fail();
    for (; next < end; ++next) bits[next / 64] |= std::uint64_t{1} << (next % 64);
  }
}

void read_bits(ByteReader& reader, std::vector<std::uint64_t>& bits, std::size_t rows) {
  std::size_t word = 0;
  for (; !reader.at_end(); ++word) {
    if (word == bits.size()) reader.fail();
    bits[word] = reader.raw<std::uint64_t>();
  }
  if (rows % 64 != 0 && bits.back() >> (rows % 64) != 0) reader.fail();
}

}  // namespace

DeadRows DeadRows::with(std::span<const std::uint32_t> rows) const {
  if (rows.empty()) return *this;
  auto bits =
      bits_ ? std::make_shared<std::vector<std::uint64_t>>(*bits_) : std::make_shared<std::vector<std::uint64_t>>();
  const std::size_t words = *std::max_element(rows.begin(), rows.end()) / 64 + std::size_t{1};
  if (bits->size() < words) bits->resize(words);
  for (const std::uint32_t row : rows) (*bits)[row / 64] |= std::uint64_t{1} << (row % 64);
  DeadRows more;
  more.count_ = count_of(*bits);
  more.bits_ = std::move(bits);
  return more;
}

std::vector<std::uint32_t> DeadRows::rows() const {
  std::vector<std::uint32_t> rows;
  if (!bits_) return rows;
  rows.reserve(count_);
  for (std::size_t word = 0; word < bits_->size(); ++word)
    for (std::uint64_t left = (*bits_)[word]; left != 0; left &= left - 1)
      rows.push_back(static_cast<std::uint32_t>(word * 64 + static_cast<std::size_t>(std::countr_zero(left))));
  return rows;
}

std::string DeadRows::serialize() const {
  if (empty()) return {};
  std::string runs = runs_of(rows());
  const std::size_t bitmap_bytes = bits_->size() * sizeof(std::uint64_t);
  if (runs.size() <= bitmap_bytes + 1) return runs;
  ByteWriter writer;
  writer.raw(Form::bits);
  writer.append({reinterpret_cast<const char*>(bits_->data()), bitmap_bytes});
  return std::move(writer).take();
}

DeadRows DeadRows::parse(std::string_view bytes, std::size_t rows) {
  if (bytes.empty()) return {};
  ByteReader reader(bytes, kWhat);
  const auto form = reader.raw<Form>();
  if (form > Form::bits || rows == 0) reader.fail();
  auto bits = std::make_shared<std::vector<std::uint64_t>>((rows + 63) / 64);
  if (form == Form::runs) {
    read_runs(reader, *bits, rows);
  } else {
    read_bits(reader, *bits, rows);
  }
  DeadRows dead;
  dead.count_ = count_of(*bits);
  dead.bits_ = std::move(bits);
  return dead;
}

}  // namespace ragstone::segment
