#include "support/faults/power_loss_disk.hpp"

#include "support/data.hpp"

#include <stdexcept>
#include <utility>

namespace ragstone::test {
namespace fs = std::filesystem;
using Kind = DiskChange::Kind;

namespace {

/// Of a folder with all that is in it. False if it is not there.
bool rename_in(std::map<std::string, std::size_t>& names, const std::string& from, const std::string& to) {
  const auto renamed = names.extract(from);
  if (!renamed) return false;
  names[to] = renamed.mapped();
  const std::string prefix = from + "/";
  for (auto name = names.lower_bound(prefix); name != names.end() && name->first.starts_with(prefix);) {
    names[to + name->first.substr(from.size())] = name->second;
    name = names.erase(name);
  }
  return true;
}

}  // namespace

PowerLossDisk::PowerLossDisk(const fs::path& root) : root_(fs::canonical(root)) {
  for (const auto& entry : fs::recursive_directory_iterator(root_)) {
    const std::string name = entry.path().lexically_relative(root_).native();
    if (entry.is_directory()) {
      first_names_[name] = kOutside;
    } else {
      first_names_[name] = ++files_;
      first_bytes_[files_] = read_file(entry.path());
    }
  }
  names_ = first_names_;
}

void apply_name(const DiskChange& change, std::map<std::string, std::size_t>& names) {
  switch (change.kind) {
    case Kind::create:
      names[change.path] = change.file;
      break;
    case Kind::make_directory:
      names.emplace(change.path, PowerLossDisk::kOutside);
      break;
    case Kind::remove:
      names.erase(change.path);
      break;
    case Kind::rename:
      rename_in(names, change.path, change.to);
      break;
    default:
      throw std::logic_error("not a change of names");
  }
}

bool changes_names(const DiskChange& change) {
  return change.kind == Kind::create || change.kind == Kind::make_directory || change.kind == Kind::remove ||
         change.kind == Kind::rename;
}

PowerLossDisk::PowerLossDisk(const PowerLossDisk& before, std::size_t position, const fs::path& root)
    : root_(fs::canonical(root)) {
  const std::lock_guard lock(before.mutex_);
  first_names_ = before.first_names_;
  first_bytes_ = before.first_bytes_;
  files_ = before.files_;
  changes_.assign(before.changes_.begin(), before.changes_.begin() + static_cast<std::ptrdiff_t>(position));
  names_ = first_names_;
  for (const DiskChange& change : changes_)
    if (changes_names(change)) apply_name(change, names_);
}

std::optional<std::string> PowerLossDisk::below_root(const fs::path& path) const {
  const fs::path relative = fs::weakly_canonical(path).lexically_relative(root_);
  if (relative.empty() || *relative.begin() == "..") return std::nullopt;
  return relative.native();
}

void PowerLossDisk::add(DiskChange change) { changes_.push_back(std::move(change)); }

std::size_t PowerLossDisk::opened(const fs::path& path) {
  const std::lock_guard lock(mutex_);
  const auto name = below_root(path);
  if (!name) return kOutside;
  const auto found = names_.find(*name);
  if (found == names_.end()) throw std::logic_error("opened behind the disk's back: " + path.string());
  return found->second;
}

std::size_t PowerLossDisk::created(const fs::path& path) {
  const std::lock_guard lock(mutex_);
  const auto name = below_root(path);
  if (!name) return kOutside;
  names_[*name] = ++files_;
  add({.kind = Kind::create, .file = files_, .path = *name});
  return files_;
}

void PowerLossDisk::written(std::size_t file, std::uint64_t offset, std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  if (file != kOutside && !bytes.empty())
    add({.kind = Kind::write, .file = file, .offset = offset, .bytes = std::string(bytes)});
}

void PowerLossDisk::truncated(std::size_t file, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  if (file != kOutside) add({.kind = Kind::truncate, .file = file, .offset = size});
}

void PowerLossDisk::synced(std::size_t file) {
  const std::lock_guard lock(mutex_);
  if (file != kOutside) add({.kind = Kind::sync, .file = file});
}

void PowerLossDisk::sync_failed(std::size_t file) {
  const std::lock_guard lock(mutex_);
  if (file != kOutside) add({.kind = Kind::failed_sync, .file = file});
}

void PowerLossDisk::removed(const fs::path& path) {
  const std::lock_guard lock(mutex_);
  const auto name = below_root(path);
  if (name && names_.erase(*name) != 0) add({.kind = Kind::remove, .path = *name});
}

void PowerLossDisk::renamed(const fs::path& from, const fs::path& to) {
  const std::lock_guard lock(mutex_);
  const auto old_name = below_root(from);
  const auto new_name = below_root(to);
  if (!old_name || !new_name) throw std::logic_error("renamed across the root: " + from.string());
  DiskChange change{.kind = Kind::rename, .path = *old_name, .to = *new_name};
  if (!rename_in(names_, *old_name, *new_name))
    throw std::logic_error("renamed behind the disk's back: " + from.string());
  add(std::move(change));
}

void PowerLossDisk::directory_made(const fs::path& path) {
  const std::lock_guard lock(mutex_);
  const auto name = below_root(path);
  if (name && names_.emplace(*name, kOutside).second) add({.kind = Kind::make_directory, .path = *name});
}

void PowerLossDisk::directory_synced(const fs::path& path) {
  const std::lock_guard lock(mutex_);
  if (const auto name = below_root(path))
    add({.kind = Kind::sync_directory, .path = *name == "." ? std::string() : *name});
}

std::vector<std::size_t> PowerLossDisk::positions_of(Kind kind) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < changes_.size(); ++i)
    if (changes_[i].kind == kind) positions.push_back(i);
  return positions;
}

std::size_t PowerLossDisk::position() const {
  const std::lock_guard lock(mutex_);
  return changes_.size();
}

}  // namespace ragstone::test
