#include "text/varint.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/text/offset_map.hpp>

#include <algorithm>
#include <optional>

namespace ragstone {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kMaxKinds = 16;
constexpr std::uint64_t kMaxShortCount = 15;
constexpr std::size_t kRunsPerCheckpoint = 128;
constexpr std::uint64_t kMaxSize = std::uint64_t{1} << 62;

struct Run {
  std::size_t kind = 0;
  std::uint64_t count = 0;
};

// Reads the run at `at` and moves it on; nothing if the bytes are no run.
std::optional<Run> read_run(std::string_view runs, std::size_t& at) noexcept {
  const auto byte = static_cast<unsigned char>(runs[at++]);
  Run run{static_cast<std::size_t>(byte >> 4), byte & kMaxShortCount};
  if (run.count > 0) return run;
  const auto count = detail::read_varint(runs, at);
  if (!count || *count <= kMaxShortCount || *count > kMaxSize) return std::nullopt;
  run.count = *count;
  return run;
}

[[noreturn]] void fail(const char* reason) {
  throw Error(Errc::corrupt_store, std::string("offset map: ") + reason + "; read the source again");
}

}  // namespace

std::uint64_t OffsetMap::to_file(std::uint64_t text_offset) const noexcept {
  if (runs_.empty()) return text_offset + shift_;
  if (text_offset >= text_size_) return shift_ + file_size_;
  auto from = std::upper_bound(checkpoints_.begin(), checkpoints_.end(), text_offset,
                               [](std::uint64_t offset, const Checkpoint& point) { return offset < point.text; });
  Checkpoint state = *--from;
  for (std::size_t at = state.run; at < runs_.size();) {
    const auto run = read_run(runs_, at);
    const Sizes sizes = sizes_[run->kind];
    const std::uint64_t characters = std::min(run->count, (text_offset - state.text) / sizes.text);
    if (characters < run->count) return shift_ + state.file + characters * sizes.file;
    state.text += run->count * sizes.text;
    state.file += run->count * sizes.file;
  }
  return shift_ + file_size_;
}

bool OffsetMap::build_checkpoints() {
  Checkpoint state;
  std::size_t number = 0;
  for (std::size_t at = 0; at < runs_.size(); ++number) {
    if (number % kRunsPerCheckpoint == 0) checkpoints_.push_back({state.text, state.file, at});
    const auto run = read_run(runs_, at);
    if (!run || run->kind >= sizes_.size()) return false;
    const Sizes sizes = sizes_[run->kind];
    if (run->count > kMaxSize / 256) return false;
    state.text += run->count * sizes.text;
    state.file += run->count * sizes.file;
    if (state.text > kMaxSize || state.file > kMaxSize) return false;
  }
  text_size_ = state.text;
  file_size_ = state.file;
  return true;
}

std::string OffsetMap::serialize() const {
  std::string bytes(1, kVersion);
  detail::append_varint(bytes, shift_);
  detail::append_varint(bytes, sizes_.size());
  for (const Sizes sizes : sizes_) {
    bytes.push_back(static_cast<char>(sizes.text));
    bytes.push_back(static_cast<char>(sizes.file));
  }
  return bytes + runs_;
}

OffsetMap OffsetMap::parse(std::string_view bytes) {
  if (bytes.empty() || bytes[0] != kVersion) fail("unknown version");
  OffsetMap map;
  std::size_t at = 1;
  const auto shift = detail::read_varint(bytes, at);
  const auto kinds = shift ? detail::read_varint(bytes, at) : std::nullopt;
  if (!kinds || *shift > kMaxSize || *kinds > kMaxKinds || bytes.size() - at < 2 * *kinds) fail("damaged header");
  map.shift_ = *shift;
  for (std::size_t i = 0; i < *kinds; ++i, at += 2) {
    const Sizes sizes{static_cast<std::uint8_t>(bytes[at]), static_cast<std::uint8_t>(bytes[at + 1])};
    if (sizes.text == 0) fail("a character without bytes");
    map.sizes_.push_back(sizes);
  }
  map.runs_ = bytes.substr(at);
  if (map.runs_.empty() != map.sizes_.empty() || !map.build_checkpoints()) fail("damaged runs");
  return map;
}

void OffsetMapBuilder::add(std::uint8_t text_bytes, std::uint8_t file_bytes, std::uint64_t count) {
  const OffsetMap::Sizes sizes{text_bytes, file_bytes};
  if (count == 0) return;
  if (kind_ < map_.sizes_.size() && map_.sizes_[kind_] == sizes) {
    count_ += count;
    return;
  }
  flush();
  const auto found = std::find(map_.sizes_.begin(), map_.sizes_.end(), sizes);
  kind_ = static_cast<std::size_t>(found - map_.sizes_.begin());
  count_ = count;
  if (found != map_.sizes_.end()) return;
  if (map_.sizes_.size() == kMaxKinds) throw Error(Errc::internal, "offset map: more than 16 kinds of characters");
  map_.sizes_.push_back(sizes);
}

void OffsetMapBuilder::flush() {
  if (count_ == 0) return;
  const bool is_short = count_ <= kMaxShortCount;
  map_.runs_.push_back(static_cast<char>(kind_ << 4 | (is_short ? count_ : 0)));
  if (!is_short) detail::append_varint(map_.runs_, count_);
}

OffsetMap OffsetMapBuilder::finish() {
  flush();
  count_ = 0;
  if (map_.sizes_.size() == 1 && map_.sizes_[0] == OffsetMap::Sizes{1, 1}) return OffsetMap(map_.shift_);
  map_.runs_.shrink_to_fit();
  if (!map_.build_checkpoints()) throw Error(Errc::limit_exceeded, "offset map: the text is too large");
  return std::move(map_);
}

}  // namespace ragstone
