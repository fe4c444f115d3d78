#include "support/store/random_commits.hpp"

#include "support/store/samples.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace ragstone::test {
namespace {

const std::vector<std::string> kWords = {"river", "stones", "bridge", "keys",     "rotate", "the",
                                         "2024",  "石头",   "桥梁",   "密钥轮换", "数据",   "café"};

/// A stored group as it would be written.
GroupRows as_rows(const std::string& name, const PlainGroup& group) {
  GroupRows rows;
  rows.group = name;
  rows.parent = group.parent;
  rows.signature = group.signature;
  for (const PlainNode& node : group.nodes) {
    NodeRow& row = rows.rows.emplace_back();
    row.uid = node.uid;
    row.content = node.content;
    row.span = node.span;
    row.is_span = node.is_span;
    row.text = node.is_span ? "" : node.text;
  }
  return rows;
}

}  // namespace

std::string RandomCommits::source_id() {
  const std::size_t number = below(12);
  return number % 3 == 0 ? "目录/文件 " + std::to_string(number) : "folder/file" + std::to_string(number) + ".md";
}

std::string RandomCommits::group() {
  static const std::vector<std::string> groups = {"root", "line", "word", "note", "absent"};
  return groups[below(groups.size())];
}

std::string RandomCommits::signature_of(const std::string& group) {
  return group == "root" ? "root/1" : chance(85) ? group + "/1" : group + "/2";
}

std::string RandomCommits::embedder() { return chance(90) ? "four" : "three"; }

Metadata RandomCommits::metadata() {
  Metadata metadata;
  metadata.set("lang", chance(50) ? "en" : "zh");
  if (chance(70)) metadata.set("year", 2000 + static_cast<int>(below(4)));
  if (chance(20)) metadata.set("draft", Scalar(chance(50)));
  return metadata;
}

std::string RandomCommits::text() {
  std::string text;
  for (std::size_t line = below(6); line > 0; --line) {
    for (std::size_t word = 1 + below(5); word > 0; --word)
      text += kWords[below(kWords.size())] + (word > 1 ? " " : "");
    text += '\n';
  }
  return text;
}

std::string RandomCommits::text_for(const PlainModel& model, const std::string& id) {
  const auto stored = model.sources.find(id);
  if (stored == model.sources.end() || !stored->second.text || chance(30)) return text();
  return chance(50) ? *stored->second.text : kWords[below(kWords.size())] + "\n" + *stored->second.text;
}

DenseRows RandomCommits::vectors(const GroupRows& group) {
  const std::string signature = embedder();
  const std::uint32_t dimension = signature == "four" ? 4 : 3;
  std::vector<std::vector<float>> rows;
  for (const NodeRow& row : group.rows) {
    auto& vector = rows.emplace_back();
    for (std::uint32_t i = 0; i < dimension; ++i) vector.push_back(static_cast<float>(row.content.bytes[i] % 5) - 2);
  }
  return sample_vectors(kKey, signature, rows, dimension);
}

void RandomCommits::add_columns(GroupRows& group, const std::string& text, unsigned percent) {
  if (chance(percent)) group.sparse.push_back(sample_terms(group, text, chance(90) ? "terms/1" : "terms/2"));
  if (chance(percent)) group.dense.push_back(vectors(group));
}

GroupRows RandomCommits::lines(const std::string& id, const std::string& text, const GroupRows& root) {
  GroupRows group = sample_group(id, text, "line", root, line_spans(text), signature_of("line"));
  for (std::size_t i = 0; i < group.rows.size(); ++i)
    if (i % 3 == 1) group.rows[i].metadata.set("lang", chance(90) ? "en" : "fr");
  return group;
}

GroupRows RandomCommits::words(const std::string& id, const std::string& text, const GroupRows& lines) {
  return sample_group(id, text, "word", lines, word_spans(text), signature_of("word"));
}

GroupRows RandomCommits::notes(const std::string& id, const std::string& text, const GroupRows& lines) {
  std::vector<Span> spans;
  for (const NodeRow& line : lines.rows) spans.push_back(line.span);
  GroupRows group = sample_group(id, text, "note", lines, spans, signature_of("note"));
  for (std::size_t i = 0; i < group.rows.size(); ++i) {
    NodeRow& row = group.rows[i];
    row.is_span = false;
    row.parent = static_cast<std::uint32_t>(i);
    row.text = "note on " + std::string(row.span.of(text));
    row.content = hash128(row.text);
  }
  return group;
}

SourceWrite RandomCommits::source(const PlainModel& model, const std::string& id) {
  SourceWrite write = sample_source(id, text_for(model, id), metadata());
  write.record.reader = "text/1";
  if (chance(50)) write.record.stamp = FileStamp{write.text.size(), static_cast<std::int64_t>(below(1000))};
  if (chance(5)) {
    write.groups.clear();
    return write;
  }
  GroupRows of_lines = lines(id, write.text, write.groups.front());
  add_columns(of_lines, write.text, 80);
  GroupRows of_words = words(id, write.text, of_lines);
  add_columns(of_words, write.text, 50);
  write.groups.push_back(std::move(of_lines));
  if (chance(30)) write.groups.push_back(std::move(of_words));
  return write;
}

void RandomCommits::add_groups(const PlainSource& stored, GroupWrite& write) {
  const std::string& text = *stored.text;
  const auto line_group = stored.groups.find("line");
  GroupRows of_lines;
  if (line_group != stored.groups.end()) {
    of_lines = as_rows("line", line_group->second);
  } else {
    of_lines =
        sample_group(write.source, text, "line", sample_source(write.source, text).groups.front(), line_spans(text));
  }
  const bool again = chance(50);
  if (again) {
    of_lines = lines(write.source, text, sample_source(write.source, text).groups.front());
    if (chance(50))
      of_lines = sample_group(write.source, text, "line", sample_source(write.source, text).groups.front(),
                              line_spans(text), "line/3");
    write.groups.push_back(of_lines);
    add_columns(write.groups.back(), text, 60);
  }
  const bool with_children = again && chance(70);
  if (with_children ? stored.groups.contains("word") : chance(60)) {
    write.groups.push_back(words(write.source, text, of_lines));
    add_columns(write.groups.back(), text, 60);
  }
  if (with_children ? stored.groups.contains("note") : chance(60)) {
    write.groups.push_back(notes(write.source, text, of_lines));
    add_columns(write.groups.back(), text, 60);
  }
}

void RandomCommits::add_stored_columns(const PlainSource& stored, GroupWrite& write) {
  for (const auto& [name, group] : stored.groups) {
    if (!chance(50)) continue;
    GroupRows columns = as_rows(name, group);
    add_columns(columns, *stored.text, 60);
    columns.rows.clear();
    if (chance(10)) columns.signature = "another";
    if (!columns.dense.empty() || !columns.sparse.empty()) write.columns.push_back(std::move(columns));
  }
}

GroupWrite RandomCommits::groups(const PlainModel& model, const std::string& id) {
  GroupWrite write;
  write.source = id;
  const auto stored = model.sources.find(id);
  if (stored == model.sources.end() || !stored->second.text) return write;
  write.content = stored->second.record.content;
  if (chance(10)) write.content = hash128("something else");
  if (chance(50)) {
    add_groups(stored->second, write);
  } else {
    add_stored_columns(stored->second, write);
  }
  return write;
}

Commit RandomCommits::next(const PlainModel& model) {
  Commit commit;
  std::set<std::string> ids;
  for (std::size_t i = 1 + below(4); i > 0; --i) ids.insert(source_id());
  if (chance(3)) ids.clear();
  for (const std::string& id : ids) {
    const std::size_t kind = below(100);
    if (kind < 45) {
      commit.sources.push_back(source(model, id));
    } else if (kind < 75) {
      commit.groups.push_back(groups(model, id));
    } else if (kind < 82) {
      SourceFailure failure;
      failure.source = id;
      failure.stage = Stage::embed;
      failure.reason = "例外 " + std::to_string(kind);
      failure.stamp = FileStamp{kind, 1};
      commit.failures.push_back(failure);
    } else if (kind < 88) {
      SourceTouch touch;
      touch.source = id;
      touch.stamp = FileStamp{7, static_cast<std::int64_t>(kind)};
      commit.touches.push_back(touch);
    } else {
      commit.removals.push_back(id);
    }
  }
  if (!commit.removals.empty() && chance(30)) commit.removals_as_of = below(model.generation + 1);
  return commit;
}

std::vector<TermWeight> RandomCommits::terms() {
  static const std::vector<std::string> known = {"river", "stone", "bridg", "kei", "key",  "2024",
                                                 "石头",  "桥",    "密钥",  "数",  "café", "nowhere"};
  std::map<std::string, float> terms;
  for (std::size_t i = 1 + below(4); i > 0; --i) terms[known[below(known.size())]] += 1;
  std::vector<TermWeight> sorted;
  for (const auto& [term, weight] : terms) sorted.push_back({term, weight});
  return sorted;
}

std::vector<float> RandomCommits::vector(std::size_t dimension) {
  std::vector<float> vector;
  for (std::size_t i = 0; i < dimension; ++i) vector.push_back(static_cast<float>(below(5)) - 2);
  return vector;
}

Filter RandomCommits::filter() {
  static const std::vector<std::string> filters = {"",
                                                   "",
                                                   "lang == \"en\"",
                                                   "year >= 2002",
                                                   "not (lang == \"zh\" and exists draft)",
                                                   "lang in [\"fr\", \"zh\"]",
                                                   "draft == true or year < 2001"};
  return Filter::parse(filters[below(filters.size())]);
}

}  // namespace ragstone::test
