#pragma once

#include "rag/ingest_plan.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ragstone {

/// The groups that a Document knows, which of their columns are in use, and which of those are built. Thread-safe.
class GroupRegistry {
 public:
  GroupRegistry(std::shared_ptr<const TextTerms> terms, std::map<std::string, std::shared_ptr<Embedder>> embedders,
                std::map<std::string, std::shared_ptr<SparseEmbedder>> sparse_embedders);

  /// Errors: as Document::add_group(). `need_signature`: the store outlives the process.
  void add(NodeGroup group, bool need_signature);

  std::vector<std::string> names() const;
  /// Errors: Errc::not_found, with what there is.
  void check_known(std::string_view group) const;
  /// Errors: Errc::not_found unless every key is kBm25Key or an embedder's.
  void check_keys(const std::vector<std::string>& keys) const;
  std::vector<std::string> all_keys() const;
  /// Null: there is none of this key.
  std::shared_ptr<Embedder> embedder(std::string_view key) const;
  std::shared_ptr<SparseEmbedder> sparse_embedder(std::string_view key) const;
  /// Under which a group's column is stored today; empty without an embedder of the key.
  std::string signature_of(std::string_view group, const std::string& key) const;

  /// Puts a group with these columns, and its ancestors, into the plan.
  void use(std::string_view group, const std::vector<std::string>& keys);
  std::shared_ptr<const IngestPlan> plan() const;

  /// Whether there are groups that adopt() has not been told of.
  bool has_unseen() const;
  /// Puts into use what a store holds of the known groups under today's signatures.
  void adopt(const std::vector<GroupInfo>& stored);
  /// The plan if all were in use that is, or that a store holds under whatever signature.
  IngestPlan plan_with(const std::vector<GroupInfo>& stored) const;

  /// Whether every source in the store has the group with these columns.
  bool is_ready(std::string_view group, const std::vector<std::string>& keys) const;
  void set_ready(std::string_view group, const std::vector<std::string>& keys);

 private:
  struct Known {
    std::string parent;
    std::string signature;
    std::shared_ptr<const Chunker> chunker;
    bool used = false;
    bool seen = false;              ///< By adopt().
    std::set<std::string> columns;  ///< In use.
    std::set<std::string> ready;    ///< Columns that are built; "" for the nodes.
  };

  const Known& known(std::string_view group) const;
  Known& known(std::string_view group);
  bool use_locked(std::string_view group, const std::vector<std::string>& keys);
  IngestPlan plan_of(const std::vector<std::pair<std::string, Known>>& groups) const;
  void make_plan();

  const std::shared_ptr<const TextTerms> terms_;
  const std::map<std::string, std::shared_ptr<Embedder>> embedders_;
  const std::map<std::string, std::shared_ptr<SparseEmbedder>> sparse_embedders_;

  mutable std::mutex mutex_;
  std::vector<std::pair<std::string, Known>> groups_;  ///< A parent before its children.
  std::shared_ptr<const IngestPlan> plan_;
};

}  // namespace ragstone
