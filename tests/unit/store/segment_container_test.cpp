#include "store/segment/container.hpp"
#include "store/segment/container_layout.hpp"
#include "support/errors.hpp"
#include "support/rounds.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::segment {
namespace {

using test::error_of;
using test::rounds;

constexpr std::size_t kLarge = 3 * kBlockBytes + 100;

/// Sections "nodes" (small), "terms" (empty) and "postings" (three blocks and a bit).
std::string sample_image(std::size_t alignment = 64) {
  StringSink image(alignment);
  ContainerWriter writer(image, {Kind::sparse, 12, 3, 77}, 5);
  writer.begin(SectionId::nodes, sizeof(NodeId));
  const std::vector<NodeId> nodes = {1, 2, 5};
  writer.append(std::span(nodes));
  writer.end();
  writer.begin(SectionId::terms, 1);
  writer.end();
  writer.begin(SectionId::posting_lists, 1);
  std::string bytes(kLarge, '\0');
  std::iota(bytes.begin(), bytes.end(), '\0');
  // In pieces of every kind: inside a block, across its end, larger than one.
  for (std::size_t at = 0, size = 1; at < bytes.size(); at += size, size = size * 3 + 1)
    writer.append(std::string_view(bytes).substr(at, size));
  writer.end();
  writer.finish();
  return std::move(image).take();
}

Container opened(const std::string& bytes, Kind kind = Kind::sparse) { return Container(heap_image(bytes), kind); }

StoredHeader header_of(const std::string& bytes) {
  StoredHeader header;
  std::memcpy(&header, bytes.data(), sizeof header);
  return header;
}

/// The image with a changed header or table, as a forger would store it: with a right checksum.
template <class Change>
std::string forged(std::string bytes, Change change) {
  StoredHeader header = header_of(bytes);
  std::vector<Section> table(header.sections);
  std::memcpy(table.data(), bytes.data() + sizeof header, table.size() * sizeof(Section));
  change(header, table);
  const std::string_view stored(reinterpret_cast<const char*>(table.data()), table.size() * sizeof(Section));
  header.checksum = header_checksum(header, stored);
  std::memcpy(bytes.data(), &header, sizeof header);
  std::memcpy(bytes.data() + sizeof header, stored.data(), stored.size());
  return bytes;
}

TEST(SegmentContainer, GivesBackHeaderAndSections) {
  for (const std::size_t alignment : {8, 64, 4096}) {
    const Container container = opened(sample_image(alignment));
    EXPECT_EQ(container.generation(), 12u);
    EXPECT_EQ(container.rows(), 3u);
    EXPECT_EQ(container.parameter(), 77u);
    const auto nodes = container.array<NodeId>(SectionId::nodes, 3);
    EXPECT_EQ(std::vector<NodeId>(nodes.begin(), nodes.end()), (std::vector<NodeId>{1, 2, 5}));
    EXPECT_TRUE(container.bytes(SectionId::terms).empty());
    ASSERT_EQ(container.bytes(SectionId::posting_lists).size(), kLarge);
    EXPECT_EQ(container.bytes(SectionId::posting_lists)[70'000], static_cast<char>(70'000 % 256));
    EXPECT_TRUE(container.damaged_sections({}).empty());
  }
}

TEST(SegmentContainer, SectionsAreAligned) {
  const std::string bytes = sample_image(4096);
  forged(bytes, [](StoredHeader&, const std::vector<Section>& table) {
    for (const Section& section : table) EXPECT_EQ(section.offset % 4096, 0u);
  });
}

TEST(SegmentContainer, RefusesAnotherKindAndMissingOrOtherSections) {
  const std::string bytes = sample_image();
  EXPECT_EQ(error_of([&] { opened(bytes, Kind::dense); }).errc(), Errc::corrupt_store);
  const Container container = opened(bytes);
  EXPECT_EQ(error_of([&] { container.bytes(SectionId::vectors); }).errc(), Errc::corrupt_store);
  EXPECT_EQ(error_of([&] { container.array<NodeId>(SectionId::nodes, 4); }).errc(), Errc::corrupt_store);
  EXPECT_EQ(error_of([&] { container.array<std::uint32_t>(SectionId::nodes, 6); }).errc(), Errc::corrupt_store);
}

// F8
TEST(SegmentContainer, ANewerFormatVersionIsNamedNotCalledDamaged) {
  const std::string bytes =
      forged(sample_image(), [](StoredHeader& header, auto&) { header.version = kFormatVersion + 1; });
  const Error error = error_of([&] { opened(bytes); });
  EXPECT_EQ(error.errc(), Errc::unsupported);
  EXPECT_NE(std::string(error.what()).find(std::to_string(kFormatVersion + 1)), std::string::npos);
}

// F6
TEST(SegmentContainer, AnyChangeOfHeaderOrTableAndAnyOtherLengthIsRefused) {
  const std::string bytes = sample_image();
  const std::size_t end = sizeof(StoredHeader) + header_of(bytes).sections * sizeof(Section);
  for (std::size_t bit = 0; bit < 8 * end; ++bit) {
    std::string changed = bytes;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ 1 << bit % 8);
    // Nor is a damaged version called another one.
    EXPECT_EQ(error_of([&] { opened(changed); }).errc(), Errc::corrupt_store) << bit;
  }
  for (std::size_t size = 0; size < bytes.size(); size += 1 + size / 8)
    EXPECT_THROW(opened(bytes.substr(0, size)), Error) << size;
  EXPECT_THROW(opened(bytes + '\0'), Error);
}

TEST(SegmentContainer, AForgedTableNeverLeavesTheImage) {
  const std::string bytes = sample_image();
  const auto expect_refused = [&](auto change) {
    EXPECT_EQ(error_of([&] { opened(forged(bytes, change)); }).errc(), Errc::corrupt_store);
  };
  expect_refused([](StoredHeader&, auto& table) { table[2].bytes = ~std::uint64_t{0}; });
  expect_refused([](StoredHeader&, auto& table) { table[2].offset = ~std::uint64_t{0} - 63; });
  expect_refused([](StoredHeader&, auto& table) { table[2].offset = table[1].offset - 64; });
  expect_refused([](StoredHeader&, auto& table) { table[2].offset += 8; });
  expect_refused([](StoredHeader&, auto& table) { table[0].offset = 0; });
  expect_refused([](StoredHeader&, auto& table) { table[0].element_bytes = 0; });
  expect_refused([](StoredHeader&, auto& table) { table[0].element_bytes = 7; });
  expect_refused([](StoredHeader&, auto& table) { table[1].id = table[0].id; });
  expect_refused([](StoredHeader&, auto& table) { table[3].bytes -= 8; });
  expect_refused([](StoredHeader&, auto& table) { table[3].id = SectionId::norms; });
  expect_refused([](StoredHeader& header, auto&) { header.rows = std::uint64_t{1} << 32; });
  expect_refused([](StoredHeader& header, auto&) { header.alignment = 0; });
  expect_refused([](StoredHeader& header, auto&) { header.alignment = 24; });
}

TEST(SegmentContainer, DamageIsFoundInItsBlock) {
  const std::string good = sample_image();
  const std::size_t begin = good.find(opened(good).bytes(SectionId::posting_lists));
  for (const std::size_t at : {std::size_t{0}, kBlockBytes - 1, kBlockBytes, 3 * kBlockBytes, kLarge - 1}) {
    std::string bytes = good;
    bytes[begin + at] = static_cast<char>(bytes[begin + at] ^ 0x10);
    EXPECT_EQ(opened(bytes).damaged_blocks(SectionId::posting_lists, {}), std::vector<std::size_t>{at / kBlockBytes});
    EXPECT_EQ(opened(bytes).damaged_sections({}).size(), 1u);
  }
}

TEST(SegmentContainer, ABlockAndItsSumChangedTogetherAreFound) {
  std::string bytes = sample_image();
  const Container good = opened(bytes);
  const std::size_t begin = bytes.find(good.bytes(SectionId::posting_lists));
  const std::size_t sums = bytes.rfind(good.bytes(SectionId::block_sums));
  bytes[begin] = 'x';
  const std::uint64_t sum = checksum_of(std::string_view(bytes).substr(begin, kBlockBytes));
  std::memcpy(bytes.data() + sums, &sum, sizeof sum);
  EXPECT_EQ(opened(bytes).damaged_blocks(SectionId::posting_lists, {}), (std::vector<std::size_t>{0, 1, 2, 3}));
}

TEST(DeadRows, AreASetOfRows) {
  const DeadRows none;
  EXPECT_TRUE(none.empty());
  EXPECT_FALSE(none.contains(0));
  const std::vector<std::uint32_t> rows = {70, 3, 3, 64};
  const DeadRows some = none.with(rows);
  const DeadRows more = some.with(std::vector<std::uint32_t>{0, 200});
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(some.rows(), (std::vector<std::uint32_t>{3, 64, 70}));
  EXPECT_EQ(more.rows(), (std::vector<std::uint32_t>{0, 3, 64, 70, 200}));
  EXPECT_EQ(more.count(), 5u);
  EXPECT_TRUE(more.contains(200));
  EXPECT_FALSE(more.contains(201));
  EXPECT_FALSE(more.contains(UINT32_MAX));
}

TEST(DeadRows, SurviveStorageInAnyNumber) {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    std::mt19937 random(seed);
    const std::size_t rows = 1 + random() % 1000;
    const auto share = random() % 101;
    std::vector<std::uint32_t> dead;
    for (std::uint32_t row = 0; row < rows; ++row)
      if (random() % 100 < share) dead.push_back(row);
    const std::string stored = DeadRows().with(dead).serialize();
    EXPECT_LE(stored.size(), (rows + 63) / 64 * 8 + 1);
    const DeadRows again = DeadRows::parse(stored, rows);
    EXPECT_EQ(again.rows(), dead);
    EXPECT_EQ(again.count(), dead.size());
  }
}

TEST(DeadRows, TakeFewBytesWhereFewOrNearlyAllAreDead) {
  std::vector<std::uint32_t> rows(100'000);
  std::iota(rows.begin(), rows.end(), 0u);
  EXPECT_EQ(DeadRows().serialize().size(), 0u);
  EXPECT_LE(DeadRows().with(std::vector<std::uint32_t>{5, 99'000}).serialize().size(), 8u);
  EXPECT_LE(DeadRows().with(rows).serialize().size(), 8u);
  rows.erase(rows.begin() + 50'000);
  EXPECT_LE(DeadRows().with(rows).serialize().size(), 16u);
}

// F6
TEST(DeadRows, RefuseBytesThatNameOtherRows) {
  const std::string stored = DeadRows().with(std::vector<std::uint32_t>{9}).serialize();
  EXPECT_EQ(error_of([&] { DeadRows::parse(stored, 9); }).errc(), Errc::corrupt_store);
  EXPECT_EQ(error_of([&] { DeadRows::parse(stored, 0); }).errc(), Errc::corrupt_store);
  std::vector<std::uint32_t> even;
  for (std::uint32_t row = 0; row < 200; row += 2) even.push_back(row);
  EXPECT_EQ(error_of([&] { DeadRows::parse(DeadRows().with(even).serialize(), 198); }).errc(), Errc::corrupt_store);
  for (unsigned seed = 1; seed <= rounds(5000); ++seed) {
    std::mt19937 random(seed);
    std::string bytes(random() % 40, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    if (!bytes.empty()) bytes[0] = static_cast<char>(bytes[0] & 3);
    const std::size_t rows = random() % 300;
    try {
      const std::vector<std::uint32_t> dead = DeadRows::parse(bytes, rows).rows();
      EXPECT_TRUE(dead.empty() || dead.back() < rows);
    } catch (const Error& error) {
      EXPECT_EQ(error.errc(), Errc::corrupt_store);
    }
  }
}

}  // namespace
}  // namespace ragstone::segment
