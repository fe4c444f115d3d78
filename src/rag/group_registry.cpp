#include "rag/group_registry.hpp"

#include <ragstone/base/error.hpp>
#include <ragstone/base/utf8.hpp>

#include <algorithm>
#include <utility>

namespace ragstone {
namespace {

constexpr char kRootSignature[] = "root/1";

std::string list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    if (!text.empty()) text += ", ";
    text += name;
  }
  return text.empty() ? "none" : text;
}

auto info_of(const std::vector<GroupInfo>& stored, const std::string& group) {
  return std::find_if(stored.begin(), stored.end(), [&](const GroupInfo& info) { return info.group == group; });
}

void check_name(const std::string& name) {
  const bool printable = std::none_of(name.begin(), name.end(), [](char c) { return (c & 0xE0) == 0 || c == 0x7F; });
  if (name.empty() || name.size() > 255 || !printable || !utf8::is_valid(name))
    throw Error(Errc::invalid_argument,
                "add_group: a group's name is 1 to 255 bytes of UTF-8 without control characters");
}

bool holds(const GroupInfo& stored, std::string_view key, std::string_view signature) {
  return std::any_of(stored.forms.begin(), stored.forms.end(),
                     [&](const StoredForm& form) { return form.key == key && form.signature == signature; });
}

std::shared_ptr<const Chunker> built_in(std::size_t max_tokens, std::size_t overlap) {
  SentenceChunkerOptions options;
  options.max_tokens = max_tokens;
  options.overlap_tokens = overlap;
  return sentence_chunker(options);
}

}  // namespace

GroupRegistry::GroupRegistry(std::shared_ptr<const TextTerms> terms,
                             std::map<std::string, std::shared_ptr<Embedder>> embedders,
                             std::map<std::string, std::shared_ptr<SparseEmbedder>> sparse_embedders)
    : terms_(std::move(terms)), embedders_(std::move(embedders)), sparse_embedders_(std::move(sparse_embedders)) {
  Known root;
  root.signature = kRootSignature;
  root.used = true;
  groups_.emplace_back(kRootGroup, std::move(root));
  add(NodeGroup(kCoarseChunk, built_in(1024, 100)), true);
  add(NodeGroup(kMediumChunk, built_in(256, 25)), true);
  add(NodeGroup(kFineChunk, built_in(128, 12)), true);
  make_plan();
}

void GroupRegistry::add(NodeGroup group, bool need_signature) {
  check_name(group.name);
  if (!group.chunker) throw Error(Errc::invalid_argument, "add_group: group \"" + group.name + "\" has no chunker");
  const std::string& own = group.chunker->signature();
  if (own.empty() && need_signature)
    throw Error(Errc::invalid_argument, "add_group: the chunker of group \"" + group.name +
                                            "\" has no signature, and the store outlives this process; give the "
                                            "chunker a signature that changes whenever its output may change");
  check_known(group.parent);
  const std::lock_guard lock(mutex_);
  for (const auto& entry : groups_)
    if (entry.first == group.name)
      throw Error(Errc::already_exists, "add_group: there is a group \"" + group.name + "\" already");
  Known added;
  added.signature = known(group.parent).signature + " > " + (own.empty() ? "unsigned:" + group.name : own);
  added.parent = std::move(group.parent);
  added.chunker = std::move(group.chunker);
  groups_.emplace_back(std::move(group.name), std::move(added));
}

std::vector<std::string> GroupRegistry::names() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& entry : groups_) names.push_back(entry.first);
  return names;
}

void GroupRegistry::check_known(std::string_view group) const {
  const std::vector<std::string> all = names();
  if (std::find(all.begin(), all.end(), group) == all.end())
    throw Error(Errc::not_found, "there is no node group \"" + std::string(group) + "\"; known groups: " + list(all));
}

void GroupRegistry::check_keys(const std::vector<std::string>& keys) const {
  for (const std::string& key : keys)
    if (key != kBm25Key && !embedders_.contains(key) && !sparse_embedders_.contains(key)) {
      std::vector<std::string> all = all_keys();
      all.erase(all.begin());
      throw Error(Errc::not_found, "there is no embedder with the key \"" + key + "\"; keys: " + list(all));
    }
}

std::vector<std::string> GroupRegistry::all_keys() const {
  std::vector<std::string> keys{kBm25Key};
  for (const auto& entry : embedders_) keys.push_back(entry.first);
  for (const auto& entry : sparse_embedders_) keys.push_back(entry.first);
  return keys;
}

std::shared_ptr<Embedder> GroupRegistry::embedder(std::string_view key) const {
  const auto found = embedders_.find(std::string(key));
  return found == embedders_.end() ? nullptr : found->second;
}

std::shared_ptr<SparseEmbedder> GroupRegistry::sparse_embedder(std::string_view key) const {
  const auto found = sparse_embedders_.find(std::string(key));
  return found == sparse_embedders_.end() ? nullptr : found->second;
}

void GroupRegistry::use(std::string_view group, const std::vector<std::string>& keys) {
  check_known(group);
  check_keys(keys);
  const std::lock_guard lock(mutex_);
  if (use_locked(group, keys)) make_plan();
}

bool GroupRegistry::use_locked(std::string_view group, const std::vector<std::string>& keys) {
  bool grown = false;
  std::string_view name = group;
  for (auto entry = groups_.rbegin(); entry != groups_.rend(); ++entry) {
    if (entry->first != name) continue;
    Known& found = entry->second;
    grown |= !found.used;
    found.used = true;
    if (name == group)
      for (const std::string& key : keys) grown |= found.columns.insert(key).second;
    name = found.parent;
  }
  return grown;
}

bool GroupRegistry::has_unseen() const {
  const std::lock_guard lock(mutex_);
  return std::any_of(groups_.begin(), groups_.end(), [](const auto& entry) { return !entry.second.seen; });
}

void GroupRegistry::adopt(const std::vector<GroupInfo>& stored) {
  const std::lock_guard lock(mutex_);
  bool grown = false;
  for (auto& [name, group] : groups_) {
    if (std::exchange(group.seen, true)) continue;
    const auto info = info_of(stored, name);
    if (info == stored.end() || !holds(*info, "", group.signature)) continue;
    std::vector<std::string> keys;
    for (const StoredForm& form : info->forms)
      if (!form.key.empty() && form.signature == signature_of(name, form.key)) keys.push_back(form.key);
    grown |= use_locked(name, keys);
  }
  if (grown) make_plan();
}

IngestPlan GroupRegistry::plan_with(const std::vector<GroupInfo>& stored) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<std::string, Known>> groups = groups_;
  for (auto& [name, group] : groups) {
    const auto info = info_of(stored, name);
    if (info == stored.end()) continue;
    group.used = true;
    for (const StoredForm& form : info->forms)
      if (!signature_of(name, form.key).empty()) group.columns.insert(form.key);
  }
  return plan_of(groups);
}

std::shared_ptr<const IngestPlan> GroupRegistry::plan() const {
  const std::lock_guard lock(mutex_);
  return plan_;
}

bool GroupRegistry::is_ready(std::string_view group, const std::vector<std::string>& keys) const {
  const std::lock_guard lock(mutex_);
  const Known& found = known(group);
  return found.ready.contains("") &&
         std::all_of(keys.begin(), keys.end(), [&](const std::string& key) { return found.ready.contains(key); });
}

void GroupRegistry::set_ready(std::string_view group, const std::vector<std::string>& keys) {
  const std::lock_guard lock(mutex_);
  auto& ready = known(group).ready;
  ready.insert("");
  ready.insert(keys.begin(), keys.end());
}

const GroupRegistry::Known& GroupRegistry::known(std::string_view group) const {
  for (const auto& entry : groups_)
    if (entry.first == group) return entry.second;
  throw Error(Errc::not_found, "there is no node group \"" + std::string(group) + "\"");
}

GroupRegistry::Known& GroupRegistry::known(std::string_view group) {
  return const_cast<Known&>(std::as_const(*this).known(group));
}

std::string GroupRegistry::signature_of(std::string_view group, const std::string& key) const {
  if (key == kBm25Key) return terms_->signature(group);
  if (const auto dense = embedder(key)) return dense->identity().signature();
  const auto sparse = sparse_embedder(key);
  return sparse ? "sparse/1 " + sparse->signature() : std::string();
}

IngestPlan GroupRegistry::plan_of(const std::vector<std::pair<std::string, Known>>& groups) const {
  IngestPlan plan;
  plan.terms = terms_;
  for (const auto& [name, entry] : groups) {
    if (!entry.used) continue;
    PlannedGroup group{name, entry.parent, entry.signature, entry.chunker, {}};
    for (const std::string& key : entry.columns)
      group.columns.push_back(PlannedColumn{key, signature_of(name, key), embedder(key), sparse_embedder(key)});
    plan.groups.push_back(std::move(group));
  }
  return plan;
}

void GroupRegistry::make_plan() {
  auto plan = std::make_shared<IngestPlan>(plan_of(groups_));
  plan->version = plan_ ? plan_->version + 1 : 1;
  plan_ = std::move(plan);
}

}  // namespace ragstone
