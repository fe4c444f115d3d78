#include "support/store/plain_model.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

Metadata over(const Metadata& own, const Metadata& source) {
  Metadata visible = source;
  for (const auto& [name, value] : own) visible.set(name, value);
  return visible;
}

void add_columns(PlainGroup& group, const GroupRows& rows) {
  for (const DenseRows& dense : rows.dense) {
    PlainColumn column;
    column.signature = dense.signature;
    column.dimension = dense.dimension;
    for (std::size_t i = 0; i < dense.values.size(); i += dense.dimension)
      column.vectors.emplace_back(&dense.values[i], &dense.values[i] + dense.dimension);
    group.columns[dense.key] = column;
  }
  for (const SparseRows& sparse : rows.sparse) {
    PlainColumn column;
    column.signature = sparse.signature;
    column.lengths = sparse.lengths;
    for (std::size_t row = 0; row < sparse.rows.size(); ++row) {
      auto& terms = column.terms.emplace_back();
      for (const auto& [term, weight] : sparse.rows[row]) terms[std::string(sparse.rows.terms()[term])] = weight;
    }
    group.columns[sparse.key] = column;
  }
}

const PlainGroup* find_group(const PlainSource* source, const std::string& name) {
  if (!source) return nullptr;
  const auto group = source->groups.find(name);
  return group == source->groups.end() ? nullptr : &group->second;
}

bool writes(const GroupWrite& write, const std::string& group) {
  return std::any_of(write.groups.begin(), write.groups.end(), [&](const auto& rows) { return rows.group == group; });
}

}  // namespace

PlainResult PlainModel::apply(const Commit& commit) {
  PlainResult result;
  PlainModel next = *this;
  ++next.generation;
  for (const SourceWrite& write : commit.sources) next.write_source(write, result);
  for (const GroupWrite& write : commit.groups) next.write_groups(write, result);
  for (const SourceFailure& failure : commit.failures) {
    SourceRecord& record = next.sources[failure.source].record;
    record.id = failure.source;
    record.state = SourceState::failed;
    record.stage = failure.stage;
    record.reason = failure.reason;
    record.failed_as_stored = failure.content.has_value();
    record.attempts += 1;
    if (record.generation == 0) record.stamp = failure.stamp;
  }
  for (const SourceTouch& touch : commit.touches)
    if (next.sources.contains(touch.source)) next.sources[touch.source].record.stamp = touch.stamp;
  for (const std::string& id : commit.removals) {
    if (!next.sources.contains(id)) continue;
    if (commit.removals_as_of && next.sources[id].record.generation > *commit.removals_as_of) {
      result.skipped.push_back(id);
      continue;
    }
    result.removed.push_back(id);
    for (const auto& [name, group] : next.sources[id].groups)
      for (const PlainNode& node : group.nodes) result.removed_nodes[name].insert(node.id);
    next.sources.erase(id);
  }
  if (!result.error && !next.dimensions_agree()) result.error = Errc::dimension_mismatch;
  if (!result.error) *this = next;
  return result;
}

void PlainModel::write_source(const SourceWrite& write, PlainResult& result) {
  const auto stored = sources.find(write.record.id);
  const std::optional<PlainSource> old =
      stored == sources.end() ? std::nullopt : std::optional<PlainSource>(stored->second);
  if (write.replaces && !(old && old->text && old->record.content == *write.replaces)) {
    result.skipped.push_back(write.record.id);
    return;
  }
  PlainSource source;
  source.record = write.record;
  source.record.text_bytes = write.text.size();
  source.record.state = SourceState::ready;
  source.record.stage = Stage::done;
  source.record.reason = "";
  source.record.failed_as_stored = false;
  source.record.attempts = 0;
  source.record.generation = generation;
  source.text = write.text;
  for (const GroupRows& rows : write.groups)
    write_group(write.record.id, source, find_group(old ? &*old : nullptr, rows.group), rows, result);
  if (old)
    for (const auto& [name, group] : old->groups)
      if (!source.groups.contains(name))
        for (const PlainNode& node : group.nodes) result.removed_nodes[name].insert(node.id);
  sources[write.record.id] = source;
}

void PlainModel::write_groups(const GroupWrite& write, PlainResult& result) {
  const auto stored = sources.find(write.source);
  bool fits = stored != sources.end() && stored->second.text && stored->second.record.content == write.content;
  if (fits) {
    for (const GroupRows& rows : write.groups)
      if (!rows.parent.empty() && !writes(write, rows.parent) && !stored->second.groups.contains(rows.parent))
        fits = false;
    for (const GroupRows& columns : write.columns) {
      const PlainGroup* group = find_group(&stored->second, columns.group);
      if (!group || group->signature != columns.signature) fits = false;
    }
  }
  if (!fits) {
    result.skipped.push_back(write.source);
    return;
  }
  PlainSource source = stored->second;
  for (const GroupRows& rows : write.groups)
    write_group(write.source, source, find_group(&stored->second, rows.group), rows, result);
  for (const auto& [name, group] : source.groups) {
    if (group.parent.empty() || writes(write, name)) continue;
    std::set<Uid> parents;
    for (const PlainNode& node : source.groups.at(group.parent).nodes) parents.insert(node.uid);
    for (const PlainNode& node : group.nodes)
      if (!parents.contains(*node.parent)) result.error = Errc::invalid_argument;
  }
  for (const GroupRows& columns : write.columns) add_columns(source.groups[columns.group], columns);
  sources[write.source] = source;
}

void PlainModel::write_group(const std::string& id, PlainSource& source, const PlainGroup* old, const GroupRows& rows,
                             PlainResult& result) const {
  PlainGroup group;
  group.parent = rows.parent;
  group.signature = rows.signature;
  std::map<Uid, PlainNode> gone;
  if (old)
    for (const PlainNode& node : old->nodes) gone[node.uid] = node;
  for (const NodeRow& row : rows.rows) {
    PlainNode node;
    node.uid = row.uid;
    if (!rows.parent.empty()) node.parent = source.groups.at(rows.parent).nodes.at(row.parent).uid;
    node.content = row.content;
    node.span = row.span;
    node.is_span = row.is_span;
    node.text = row.is_span ? source.text->substr(row.span.begin, row.span.end - row.span.begin) : row.text;
    node.own = row.metadata;
    node.visible = over(row.metadata, source.record.metadata);
    const auto kept = gone.find(row.uid);
    if (kept != gone.end()) node.id = kept->second.id;
    if (kept == gone.end() || kept->second.visible != node.visible || kept->second.content != node.content)
      result.upserts[rows.group].insert({id, row.uid});
    if (kept != gone.end()) gone.erase(kept);
    group.nodes.push_back(node);
  }
  for (const auto& [uid, node] : gone) result.removed_nodes[rows.group].insert(node.id);
  add_columns(group, rows);
  source.groups[rows.group] = group;
}

bool PlainModel::dimensions_agree() const {
  std::map<std::pair<std::string, std::string>, std::uint32_t> dimensions;
  for (const auto& [id, source] : sources)
    for (const auto& [name, group] : source.groups)
      for (const auto& [key, column] : group.columns)
        if (column.dimension != 0 &&
            dimensions.emplace(std::pair(key, column.signature), column.dimension).first->second != column.dimension)
          return false;
  return true;
}

std::vector<const PlainNode*> PlainModel::nodes(const std::string& group) const {
  std::vector<const PlainNode*> found;
  for (const auto& [id, source] : sources)
    if (const PlainGroup* stored = find_group(&source, group))
      for (const PlainNode& node : stored->nodes) found.push_back(&node);
  std::sort(found.begin(), found.end(), [](const auto* a, const auto* b) { return a->id < b->id; });
  return found;
}

PlainModel::Place PlainModel::find(NodeId id) const {
  for (const auto& [source_id, source] : sources)
    for (const auto& [name, group] : source.groups)
      for (const PlainNode& node : group.nodes)
        if (node.id == id) return {source_id, name, &node};
  return {};
}

PlainModel::Scores PlainModel::bm25(const std::string& group, const std::string& key,
                                    const std::vector<TermWeight>& terms, const Bm25Parameters& parameters) const {
  const double k1 = parameters.k1;
  const double b = parameters.b;
  double nodes_count = 0;
  double tokens = 0;
  std::map<std::string, double> frequency;
  const auto for_each_row = [&](auto visit) {
    for (const auto& [id, source] : sources) {
      const PlainGroup* stored = find_group(&source, group);
      if (!stored || !stored->columns.contains(key)) continue;
      const PlainColumn& column = stored->columns.at(key);
      for (std::size_t i = 0; i < column.terms.size(); ++i)
        visit(stored->nodes[i].id, column.terms[i], column.lengths[i]);
    }
  };
  for_each_row([&](NodeId, const auto& row, std::uint32_t length) {
    nodes_count += 1;
    tokens += length;
    for (const TermWeight& term : terms) frequency[term.term] += row.contains(term.term) ? 1 : 0;
  });
  Scores scores;
  for_each_row([&](NodeId id, const auto& row, std::uint32_t length) {
    for (const TermWeight& term : terms) {
      if (!row.contains(term.term)) continue;
      const double tf = row.at(term.term);
      const double df = frequency[term.term];
      const double idf = std::pow(std::log(1 + (nodes_count - df + 0.5) / (df + 0.5)), parameters.idf_power);
      scores[id] += term.weight * idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / (tokens / nodes_count)));
    }
  });
  return scores;
}

std::optional<PlainModel::Scores> PlainModel::distances(const std::string& group, const std::string& key,
                                                        const std::vector<float>& query, Metric metric) const {
  Scores scores;
  for (const auto& [id, source] : sources) {
    const PlainGroup* stored = find_group(&source, group);
    if (!stored || !stored->columns.contains(key) || stored->columns.at(key).dimension == 0) continue;
    const PlainColumn& column = stored->columns.at(key);
    if (column.dimension != query.size()) return std::nullopt;
    for (std::size_t n = 0; n < column.vectors.size(); ++n) {
      double dot = 0, own = 0, other = 0, apart = 0;
      for (std::size_t i = 0; i < query.size(); ++i) {
        const double x = query[i], y = column.vectors[n][i];
        dot += x * y;
        own += x * x;
        other += y * y;
        apart += (x - y) * (x - y);
      }
      double score = metric == Metric::l2 ? -apart : dot;
      if (metric == Metric::cosine) score = own == 0 || other == 0 ? 0 : dot / (std::sqrt(own) * std::sqrt(other));
      scores[stored->nodes[n].id] = score;
    }
  }
  return scores;
}

PlainModel::Scores PlainModel::filtered(Scores scores, const Filter& filter) const {
  std::erase_if(scores, [&](const auto& item) { return !filter.matches(find(item.first).node->visible); });
  return scores;
}

std::vector<std::string> PlainModel::pending(const PendingQuery& query) const {
  std::vector<std::string> ids;
  for (const auto& [id, source] : sources) {
    if (!source.text || id <= query.after || ids.size() == query.limit) continue;
    const PlainGroup* group = find_group(&source, query.group);
    bool lacks = !group || group->signature != query.signature;
    for (const ColumnNeed& need : query.columns)
      if (!lacks && (!group->columns.contains(need.key) || group->columns.at(need.key).signature != need.signature))
        lacks = true;
    if (lacks) ids.push_back(id);
  }
  return ids;
}

GroupChange PlainModel::changes(const std::string& group, Generation since) const {
  std::set<NodeId> upserts, removed;
  for (Generation at = since; at < generation; ++at)
    for (const GroupChange& change : log.at(at)) {
      if (change.group != group) continue;
      for (const NodeId id : change.upserts) upserts.insert(id);
      for (const NodeId id : change.removed) {
        upserts.erase(id);
        removed.insert(id);
      }
    }
  GroupChange folded;
  folded.group = group;
  folded.upserts.assign(upserts.begin(), upserts.end());
  folded.removed.assign(removed.begin(), removed.end());
  return folded;
}

}  // namespace ragstone::test
