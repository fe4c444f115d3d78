#pragma once

#include <ragstone/base/ids.hpp>
#include <ragstone/base/node.hpp>
#include <ragstone/base/stop.hpp>
#include <ragstone/index/index_image.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace ragstone {

/// One step of keeping an Index equal to its node group: from the group's state at `from` to its state at `to`.
/// A node that is upserted may be known already: the new values replace the old ones.
class IndexUpdate {
 public:
  IndexUpdate() = default;

  Generation from = 0;
  Generation to = 0;  ///< Equal to `from` for all but the last batch of a replay.
  std::vector<Node> upserts;
  std::vector<NodeId> removed;
};

class IndexQuery {
 public:
  IndexQuery() = default;

  std::string text;
  std::size_t top_k = 0;  ///< At least 1. More hits than this may be returned; the framework cuts.
  Metadata parameters;    ///< The index's own options ("mode" = "prefix", say), as the caller gave them.
  /// Empty, or tells whether a node may be a hit. The framework enforces it in any case; an index that asks early
  /// saves work.
  std::function<bool(NodeId)> allowed;
};

struct ScoredNode {
  NodeId id = 0;
  double score = 0;  ///< Higher is better; finite.

  friend bool operator==(const ScoredNode&, const ScoredNode&) = default;
};

/// The order of all results: better score first, equal scores by ascending id.
inline bool ranks_before(const ScoredNode& a, const ScoredNode& b) noexcept {
  return a.score != b.score ? a.score > b.score : a.id < b.id;
}

/// An index over one node group, registered by name on a Document: a user's own, or one of Ragstone's.
///
/// The framework calls update() after each commit that touches the group, in commit order, at least once: applying a
/// batch twice must give the same state as applying it once. While update() or clear() runs it makes no other call on
/// the same index; it may run any number of query() calls at once. All calls come from pool threads.
///
/// If update() throws, the index is stale: queries are refused with Errc::stale_index until
/// Document::rebuild_index() has replayed the group.
///
/// An index that overrides form(), save() and load() outlives the process: the framework saves it after a replay, when
/// is_due() says so, and when a Document that has written is closed, whether it was queried or not, and loads it at the
/// next start, where the store has files. It also loads what it has just saved, so that an index may gather changes in
/// memory and have its compact form made in the background. A saved index that is damaged, of another form, or newer
/// than the store is replayed instead.
class Index {
 public:
  virtual ~Index() = default;
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  /// Applies a batch; generation() is `update.to` afterwards.
  void update(const IndexUpdate& update, const StopToken& stop);

  /// Forgets everything; generation() is 0 afterwards.
  void clear();

  /// Hits in any order; ids that the group no longer has are dropped by the framework.
  /// Errors: Errc::invalid_argument for top_k = 0 and for what the index itself refuses; Errc::internal if a score is
  /// NaN or infinite.
  std::vector<ScoredNode> query(const IndexQuery& query, const StopToken& stop) const;

  /// The store generation that this index holds; 0: nothing. A persistent index hands what it loaded to the
  /// constructor, and the framework sends only the difference. It is rebuilt where that is a later generation than the
  /// store was opened with: a loss of power may have taken the store's last commits, or a backup been put in place.
  Generation generation() const noexcept { return generation_.load(std::memory_order_acquire); }

  /// What a saved index must have in common with this one to be loaded: name, version and parameters of its kind. At
  /// most 4,096 bytes; the framework adds the group. Empty: it cannot be saved.
  std::string form() const { return do_form(); }
  /// Writes the state at generation(). Queries may run meanwhile, no update().
  void save(IndexOutput& output, const StopToken& stop) const;
  /// Takes over a saved state of this form: generation() is at least the image's afterwards, and what was applied after
  /// the image's generation still holds. Errors: Errc::corrupt_store, and the index is as it was.
  void load(std::shared_ptr<const IndexImage> image);
  /// Whether so much has changed since the last load() that saving pays.
  bool is_due() const { return do_is_due(); }

 protected:
  explicit Index(Generation loaded = 0) noexcept : generation_(loaded) {}

 private:
  virtual void do_update(const IndexUpdate& update, const StopToken& stop) = 0;
  virtual void do_clear() = 0;
  virtual std::vector<ScoredNode> do_query(const IndexQuery& query, const StopToken& stop) const = 0;
  virtual std::string do_form() const { return {}; }
  virtual void do_save(IndexOutput& output, const StopToken& stop) const;
  virtual void do_load(std::shared_ptr<const IndexImage> image);
  virtual bool do_is_due() const { return false; }

  std::atomic<Generation> generation_;
};

static_assert(!std::is_aggregate_v<IndexUpdate> && !std::is_aggregate_v<IndexQuery>);

}  // namespace ragstone
