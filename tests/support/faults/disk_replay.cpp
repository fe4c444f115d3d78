#include "support/faults/power_loss_disk.hpp"

#include <algorithm>
#include <fstream>
#include <optional>
#include <random>
#include <set>
#include <stdexcept>
#include <utility>

namespace ragstone::test {
namespace fs = std::filesystem;
using Kind = DiskChange::Kind;

namespace {

constexpr std::size_t kSector = 512;

std::string folder_of(const std::string& name) {
  const auto slash = name.rfind('/');
  return slash == std::string::npos ? std::string() : name.substr(0, slash);
}

bool is_in(const DiskChange& change, const std::string& folder) {
  return folder_of(change.path) == folder || (change.kind == Kind::rename && folder_of(change.to) == folder);
}

void apply(const DiskChange& change, std::string& bytes) {
  if (change.kind == Kind::truncate) {
    bytes.resize(change.offset);
    return;
  }
  if (bytes.size() < change.offset + change.bytes.size()) bytes.resize(change.offset + change.bytes.size());
  std::copy(change.bytes.begin(), change.bytes.end(), bytes.begin() + static_cast<std::ptrdiff_t>(change.offset));
}

/// What the medium holds of a file while the system writes its cache back now and then.
class Medium {
 public:
  Medium(std::string bytes, std::uint64_t seed)
      : random_(seed), percent_(std::vector<unsigned>{5, 50, 95}[seed % 3]), cache_(bytes), medium_(std::move(bytes)) {}

  void apply(const DiskChange& change) {
    test::apply(change, cache_);
    if (change.kind == Kind::truncate) {
      // Blocks that were cut off read as zeros if the file grows again.
      if (chance(percent_)) resize(cache_.size());
      return;
    }
    if (chance(percent_)) resize(cache_.size());
    const std::size_t end = change.offset + change.bytes.size();
    for (std::size_t sector = change.offset / kSector * kSector; sector < end; sector += kSector)
      if (chance(percent_)) write_back(sector, change, end);
  }

  std::string bytes() {
    medium_.resize(size_.value_or(first_size_));
    return std::move(medium_);
  }

 private:
  bool chance(unsigned percent) { return random_() % 100 < percent; }

  void resize(std::size_t size) {
    if (medium_.size() > size) medium_.resize(size);
    size_ = size;
  }

  void write_back(std::size_t sector, const DiskChange& change, std::size_t end) {
    const std::size_t to = std::min(sector + kSector, cache_.size());
    if (medium_.size() < to) medium_.resize(to);
    std::copy(cache_.begin() + static_cast<std::ptrdiff_t>(sector), cache_.begin() + static_cast<std::ptrdiff_t>(to),
              medium_.begin() + static_cast<std::ptrdiff_t>(sector));
    // The sector that was being written when the power went may hold anything where new bytes belonged.
    if (random_() % 1000 == 0)
      for (std::size_t i = std::max<std::size_t>(sector, change.offset); i < std::min(to, end); ++i)
        medium_[i] = static_cast<char>(random_());
  }

  std::mt19937_64 random_;
  unsigned percent_;
  std::string cache_;
  std::string medium_;
  std::size_t first_size_ = medium_.size();
  std::optional<std::size_t> size_;
};

/// Names that renames tie together share a group.
class NameGroups {
 public:
  explicit NameGroups(const std::vector<const DiskChange*>& changes) {
    for (const DiskChange* change : changes)
      if (change->kind == Kind::rename) join(change->path, change->to);
  }
  std::string group(const std::string& name) const {
    const auto found = group_.find(name);
    return found == group_.end() ? name : found->second;
  }

 private:
  void join(const std::string& a, const std::string& b) {
    const std::string to = group(a);
    const std::string from = group(b);
    group_[a] = group_[b] = to;
    for (auto& [name, group] : group_)
      if (group == from) group = to;
  }
  std::map<std::string, std::string> group_;
};

}  // namespace

DiskReplay::DiskReplay(const PowerLossDisk& disk) : disk_(disk) {
  const std::lock_guard lock(disk.mutex_);
  names_ = disk.first_names_;
  for (const auto& [number, bytes] : disk.first_bytes_) files_[number].bytes = bytes;
}

void DiskReplay::advance(std::size_t position) {
  const std::lock_guard lock(disk_.mutex_);
  for (; position_ < position; ++position_) {
    const DiskChange& change = disk_.changes_.at(position_);
    switch (change.kind) {
      case Kind::write:
      case Kind::truncate:
        files_[change.file].unsynced.push_back(&change);
        break;
      case Kind::sync: {
        File& file = files_[change.file];
        for (const DiskChange* unsynced : file.unsynced) apply(*unsynced, file.bytes);
        file.unsynced.clear();
        break;
      }
      case Kind::failed_sync:
        files_[change.file].unsynced.clear();
        break;
      case Kind::sync_directory:
        std::erase_if(name_changes_, [&](const DiskChange* name_change) {
          if (!is_in(*name_change, change.path)) return false;
          apply_name(*name_change, names_);
          return true;
        });
        break;
      default:
        name_changes_.push_back(&change);
    }
  }
}

std::map<std::string, std::size_t> DiskReplay::names_after(Unsynced unsynced, std::uint64_t seed) const {
  auto names = names_;
  if (unsynced == Unsynced::lost) return names;
  std::mt19937_64 random(seed);
  const NameGroups groups(name_changes_);
  const bool by_folder = random() % 2 == 0;
  std::set<std::string> stopped;
  for (const DiskChange* change : name_changes_) {
    const std::string tie = by_folder ? folder_of(change->path) : groups.group(change->path);
    if (unsynced == Unsynced::mixed && random() % 4 == 0) stopped.insert(tie);
    if (!stopped.contains(tie)) apply_name(*change, names);
  }
  return names;
}

std::string DiskReplay::bytes_after(const File& file, Unsynced unsynced, std::uint64_t seed) {
  if (unsynced == Unsynced::mixed) {
    Medium medium(file.bytes, seed);
    for (const DiskChange* change : file.unsynced) medium.apply(*change);
    return medium.bytes();
  }
  std::string bytes = file.bytes;
  if (unsynced == Unsynced::kept)
    for (const DiskChange* change : file.unsynced) apply(*change, bytes);
  return bytes;
}

void DiskReplay::write_image(const fs::path& folder, Unsynced unsynced, std::uint64_t seed) const {
  std::mt19937_64 random(seed);
  const auto names = names_after(unsynced, random());
  fs::create_directories(folder);
  std::set<std::string> folders = {""};
  for (const auto& [name, number] : names) {
    const std::uint64_t own_seed = random();
    // A folder's name precedes those of its files; a folder that was lost takes its files along.
    if (!folders.contains(folder_of(name))) continue;
    if (number == PowerLossDisk::kOutside) {
      folders.insert(name);
      fs::create_directory(folder / name);
      continue;
    }
    const auto file = files_.find(number);
    const std::string bytes = file == files_.end() ? std::string() : bytes_after(file->second, unsynced, own_seed);
    std::ofstream out(folder / name, std::ios::binary);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!out.flush()) throw std::runtime_error("cannot write the image " + (folder / name).string());
  }
}

}  // namespace ragstone::test
