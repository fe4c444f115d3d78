#include "support/store/samples.hpp"

#include <ragstone/base/node.hpp>
#include <ragstone/store/snapshot.hpp>

#include <map>
#include <utility>

namespace ragstone::test {
namespace {

std::vector<Span> split(std::string_view text, std::string_view separators) {
  std::vector<Span> spans;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find_first_of(separators, begin), text.size());
    if (end > begin) spans.push_back({begin, end});
    begin = end + 1;
  }
  return spans;
}

}  // namespace

SourceWrite sample_source(std::string id, std::string text, Metadata metadata) {
  SourceWrite write;
  write.record.id = std::move(id);
  write.record.metadata = std::move(metadata);
  write.record.content = hash128(text);
  write.text = std::move(text);
  GroupRows& root = write.groups.emplace_back();
  root.group = kRootGroup;
  root.signature = "root/1";
  NodeRow& row = root.rows.emplace_back();
  row.content = write.record.content;
  row.uid = make_uid(write.record.id, root.group, root.signature, row.content, 0);
  row.span = {0, write.text.size()};
  return write;
}

std::vector<Span> line_spans(std::string_view text) { return split(text, "\n"); }
std::vector<Span> word_spans(std::string_view text) { return split(text, " \n"); }

GroupRows sample_group(std::string_view source, std::string_view text, std::string name, const GroupRows& parent,
                       const std::vector<Span>& spans, std::string signature) {
  GroupRows group;
  group.group = std::move(name);
  group.parent = parent.group;
  group.signature = std::move(signature);
  std::map<Hash128, std::uint32_t> seen;
  for (const Span span : spans) {
    NodeRow& row = group.rows.emplace_back();
    row.span = span;
    row.content = hash128(span.of(text));
    row.uid = make_uid(source, group.group, group.signature, row.content, seen[row.content]++);
    while (!parent.rows.at(row.parent).span.contains(span)) ++row.parent;
  }
  return group;
}

SparseRows sample_terms(const GroupRows& group, std::string_view text, std::string signature) {
  static const std::shared_ptr<const Analyzer> analyzer = standard_analyzer();
  SparseRows column;
  column.key = kBm25Key;
  column.signature = std::move(signature);
  for (const NodeRow& row : group.rows) {
    const TermCounts counts = count_terms(*analyzer, row.is_span ? row.span.of(text) : std::string_view(row.text));
    for (const auto& [term, count] : counts.terms) column.rows.add(term, static_cast<float>(count));
    column.rows.end_vector();
    column.lengths.push_back(static_cast<std::uint32_t>(counts.length));
  }
  return column;
}

DenseRows sample_vectors(std::string key, std::string signature, const std::vector<std::vector<float>>& rows,
                         std::uint32_t dimension) {
  DenseRows column;
  column.key = std::move(key);
  column.signature = std::move(signature);
  column.dimension = dimension;
  for (const auto& row : rows) column.values.insert(column.values.end(), row.begin(), row.end());
  return column;
}

SourceWrite sample_lines(std::string id, std::string text, Metadata metadata) {
  SourceWrite write = sample_source(std::move(id), std::move(text), std::move(metadata));
  GroupRows lines = sample_group(write.record.id, write.text, "line", write.groups.front(), line_spans(write.text));
  lines.sparse.push_back(sample_terms(lines, write.text));
  write.groups.push_back(std::move(lines));
  return write;
}

}  // namespace ragstone::test
