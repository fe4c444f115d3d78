#include <ragstone/base/error.hpp>
#include <ragstone/rag/retrieval_steps.hpp>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace ragstone {
namespace {

class Parents final : public HitSource {
 public:
  Parents(std::shared_ptr<HitSource> source, Document document, std::string group)
      : HitSource("parents"), source_(std::move(source)), document_(std::move(document)), group_(std::move(group)) {}

 private:
  using Nodes = std::unordered_map<NodeId, Node>;

  Task<Retrieval> do_retrieve(Query query, CallContext context) override {
    Retrieval retrieval = co_await source_->retrieve(std::move(query), context);
    // Each hit's ancestor, a level at a time.
    std::vector<NodeId> above;
    for (const Hit& hit : retrieval.hits) above.push_back(hit.group == group_ ? hit.id : hit.parent);
    Nodes found;
    while (true) {
      std::vector<NodeId> unknown;
      for (const NodeId id : above)
        if (id != 0 && !found.contains(id)) unknown.push_back(id);
      if (unknown.empty()) break;
      if (!co_await fetch(std::move(unknown), found, context)) break;
      for (NodeId& id : above) climb(found, id);
    }
    std::unordered_set<NodeId> taken;
    std::vector<Hit> hits;
    for (std::size_t i = 0; i < above.size(); ++i) {
      const auto node = found.find(above[i]);
      if (node == found.end() || node->second.group != group_ || !taken.insert(above[i]).second) continue;
      Hit hit = std::move(retrieval.hits[i]);
      const bool shifts = hit.file_span.size() == hit.span.size();
      const std::uint64_t before = hit.span.begin - std::min(hit.span.begin, node->second.span.begin);
      // The part of the file is known as far as offsets in text and file run in step.
      if (shifts && hit.file_span.begin >= before)
        hit.file_span = Span{hit.file_span.begin - before, hit.file_span.begin - before + node->second.span.size()};
      if (node->second.id != hit.id) {
        hit.highlights.clear();
        hit.field_highlights.clear();
      }
      static_cast<Node&>(hit) = node->second;
      hits.push_back(std::move(hit));
    }
    retrieval.hits = std::move(hits);
    co_return retrieval;
  }

  /// False if none of them is there any more.
  Task<bool> fetch(std::vector<NodeId> ids, Nodes& found, CallContext context) {
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    NodeQuery query;
    query.ids = std::move(ids);
    Document document = document_;
    std::vector<Node> nodes = co_await document.nodes(std::move(query), std::move(context));
    for (Node& node : nodes) found.emplace(node.id, std::move(node));
    co_return !nodes.empty();
  }

  void climb(const Nodes& found, NodeId& id) const {
    for (auto node = found.find(id); node != found.end() && node->second.group != group_; node = found.find(id))
      id = node->second.parent;
  }

  const std::shared_ptr<HitSource> source_;
  const Document document_;
  const std::string group_;
};

}  // namespace

std::shared_ptr<HitSource> parents(std::shared_ptr<HitSource> source, Document document, std::string group) {
  if (!source) throw Error(Errc::invalid_argument, "parents: the source is null");
  const std::vector<std::string> groups = document.groups();
  if (std::find(groups.begin(), groups.end(), group) == groups.end())
    throw Error(Errc::not_found, "parents: the document has no group \"" + group + "\"");
  return std::make_shared<Parents>(std::move(source), std::move(document), std::move(group));
}

}  // namespace ragstone
