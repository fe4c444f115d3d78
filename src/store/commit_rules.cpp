#include "store/commit_rules.hpp"

#include "kernel/stop_poll.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/base/utf8.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>

namespace ragstone {
namespace {

constexpr std::size_t kMaxSourceId = 4096;
constexpr std::size_t kMaxName = 255;

[[noreturn]] void refuse(std::string_view source, const std::string& reason) {
  throw Error(Errc::invalid_argument, "commit of source \"" + std::string(source) + "\": " + reason);
}

std::string quoted(std::string_view name) { return '"' + std::string(name) + '"'; }

void check_source_id(std::string_view id) {
  if (id.empty() || id.size() > kMaxSourceId || id.find('\0') != std::string_view::npos || !utf8::is_valid(id))
    throw Error(Errc::invalid_argument,
                "commit: a source id must be 1 to 4096 bytes of valid UTF-8 without NUL; one has " +
                    std::to_string(id.size()) + " bytes");
}

void check_name(std::string_view source, std::string_view kind, std::string_view name) {
  const bool control = std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  if (name.empty() || name.size() > kMaxName || control || !utf8::is_valid(name))
    refuse(source,
           "the name of a " + std::string(kind) + " must be 1 to 255 bytes of valid UTF-8 without control characters");
}

bool is_boundary(std::string_view text, std::uint64_t at) {
  return at == text.size() || (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
}

void check_dense(std::string_view source, std::string_view column, const DenseRows& dense, std::size_t rows) {
  if (dense.dimension == 0) refuse(source, std::string(column) + " has dimension 0");
  if (dense.values.size() != rows * dense.dimension)
    refuse(source, std::string(column) + " has " + std::to_string(dense.values.size()) + " values for " +
                       std::to_string(rows) + " nodes of dimension " + std::to_string(dense.dimension));
  for (std::size_t i = 0; i < dense.values.size(); ++i)
    if (!std::isfinite(dense.values[i]))
      refuse(source, std::string(column) + ", vector " + std::to_string(i / dense.dimension) +
                         ": an element is not a finite number");
}

void check_sparse(std::string_view source, std::string_view column, const SparseRows& sparse, std::size_t rows) {
  if (sparse.rows.size() != rows || sparse.lengths.size() != rows)
    refuse(source, std::string(column) + " has " + std::to_string(sparse.rows.size()) + " rows and " +
                       std::to_string(sparse.lengths.size()) + " lengths for " + std::to_string(rows) + " nodes");
  for (std::size_t row = 0; row < rows; ++row)
    for (const SparseVectors::Element& element : sparse.rows[row])
      if (!std::isfinite(element.weight) || element.weight <= 0)
        refuse(source, std::string(column) + ", row " + std::to_string(row) + ": a weight is not a positive number");
}

void check_columns(std::string_view source, const GroupRows& group, std::size_t rows, kernel::StopPoll& poll) {
  std::set<std::string_view> keys;
  const auto name_column = [&](const std::string& key) {
    check_name(source, "column", key);
    const std::string column = "column " + quoted(key) + " of group " + quoted(group.group);
    if (!keys.insert(key).second) refuse(source, column + " occurs twice");
    return column;
  };
  for (const DenseRows& dense : group.dense) {
    check_dense(source, name_column(dense.key), dense, rows);
    poll.spend(dense.values.size());
  }
  for (const SparseRows& sparse : group.sparse) {
    check_sparse(source, name_column(sparse.key), sparse, rows);
    poll.spend(100 * rows);
  }
}

void check_rows(std::string_view source, const GroupRows& group, kernel::StopPoll& poll) {
  check_name(source, "group", group.group);
  if (group.rows.size() > UINT32_MAX) refuse(source, "group " + quoted(group.group) + " has too many nodes");
  std::set<Uid> uids;
  for (const NodeRow& row : group.rows) {
    if (!uids.insert(row.uid).second)
      refuse(source, "group " + quoted(group.group) + " has two nodes of uid " + to_string(row.uid));
    if (row.is_span ? !row.text.empty() : !utf8::is_valid(row.text))
      refuse(source, "group " + quoted(group.group) +
                         (row.is_span ? ": a node that is a span of its source must bring no text of its own"
                                      : ": a node's own text is not valid UTF-8"));
  }
  poll.spend(200 * group.rows.size());
  check_columns(source, group, group.rows.size(), poll);
}

void check_source(const SourceWrite& write, kernel::StopPoll& poll) {
  const std::string_view id = write.record.id;
  if (!utf8::is_valid(write.text)) refuse(id, "the text is not valid UTF-8");
  poll.spend(write.text.size());
  std::map<std::string_view, std::size_t> rows;
  for (const GroupRows& group : write.groups) {
    check_rows(id, group, poll);
    check_spans(group, id, write.text);
    if (group.parent.empty() != rows.empty())
      refuse(id, "exactly the first group must have no parent group; see group " + quoted(group.group));
    if (!group.parent.empty()) {
      const auto parent = rows.find(group.parent);
      if (parent == rows.end())
        refuse(id, "group " + quoted(group.group) + " must come after its parent group " + quoted(group.parent));
      check_parents(group, id, parent->second);
    }
    if (!rows.emplace(group.group, group.rows.size()).second)
      refuse(id, "group " + quoted(group.group) + " occurs twice");
  }
}

void check_group_write(const GroupWrite& write, kernel::StopPoll& poll) {
  std::set<std::string_view> names;
  for (const GroupRows& group : write.groups) {
    check_rows(write.source, group, poll);
    const auto is_parent = [&](const GroupRows& other) { return other.group == group.parent; };
    if (std::any_of(write.groups.begin(), write.groups.end(), is_parent) && !names.contains(group.parent))
      refuse(write.source,
             "group " + quoted(group.group) + " must come after its parent group " + quoted(group.parent));
    if (!names.insert(group.group).second) refuse(write.source, "group " + quoted(group.group) + " occurs twice");
  }
  for (const GroupRows& columns : write.columns) {
    check_name(write.source, "group", columns.group);
    if (!columns.rows.empty())
      refuse(write.source, "columns for the stored group " + quoted(columns.group) + " must bring no nodes");
    if (columns.dense.empty() && columns.sparse.empty())
      refuse(write.source, "no columns for the stored group " + quoted(columns.group));
    if (!names.insert(columns.group).second) refuse(write.source, "group " + quoted(columns.group) + " occurs twice");
    check_columns(write.source, columns, column_rows(columns), poll);
  }
}

}  // namespace

void check_commit(const Commit& commit, const StopToken& stop) {
  kernel::StopPoll poll(stop);
  std::set<std::string_view> ids;
  const auto take = [&](const std::string& id) {
    check_source_id(id);
    if (!ids.insert(id).second) refuse(id, "a commit may change a source once only");
  };
  for (const SourceWrite& write : commit.sources) take(write.record.id);
  for (const GroupWrite& write : commit.groups) take(write.source);
  for (const SourceFailure& failure : commit.failures) take(failure.source);
  for (const SourceTouch& touch : commit.touches) take(touch.source);
  for (const std::string& id : commit.removals) take(id);

  for (const SourceFailure& failure : commit.failures)
    if (!utf8::is_valid(failure.reason)) refuse(failure.source, "the reason of a failure is not valid UTF-8");
  for (const SourceWrite& write : commit.sources) check_source(write, poll);
  for (const GroupWrite& write : commit.groups) check_group_write(write, poll);
}

void check_spans(const GroupRows& group, std::string_view source, std::string_view text) {
  for (const NodeRow& row : group.rows)
    if (row.span.begin > row.span.end || row.span.end > text.size() || !is_boundary(text, row.span.begin) ||
        !is_boundary(text, row.span.end))
      refuse(source, "group " + quoted(group.group) + ": the span " + std::to_string(row.span.begin) + " to " +
                         std::to_string(row.span.end) + " is not within the text's " + std::to_string(text.size()) +
                         " bytes, or cuts a character");
}

void check_parents(const GroupRows& group, std::string_view source, std::size_t parents) {
  for (const NodeRow& row : group.rows)
    if (row.parent >= parents)
      refuse(source, "group " + quoted(group.group) + ": a node names parent " + std::to_string(row.parent) + ", but " +
                         quoted(group.parent) + " has " + std::to_string(parents) + " nodes");
}

void check_place(const GroupRows& rows, std::string_view source, std::span<const GroupPlace> groups) {
  const auto find = [&](std::string_view name) {
    const auto found = std::find_if(groups.begin(), groups.end(), [&](const GroupPlace& g) { return g.group == name; });
    return found == groups.end() ? nullptr : &*found;
  };
  if (rows.parent.empty()) {
    for (const GroupPlace& other : groups)
      if (other.parent.empty() && other.group != rows.group)
        refuse(source, "group " + quoted(rows.group) + " names no parent, but the root is " + quoted(other.group));
    return;
  }
  for (const GroupPlace* at = find(rows.parent); at != nullptr; at = find(at->parent))
    if (at->group == rows.group)
      refuse(source,
             "group " + quoted(rows.group) + " cannot have its descendant " + quoted(rows.parent) + " as its parent");
}

void refuse_orphans(std::string_view source, std::string_view group, std::string_view parent) {
  refuse(source, "group " + quoted(group) + " loses parents in group " + quoted(parent) +
                     ", which is replaced; replace both in one write");
}

void refuse_dimension(std::string_view key, std::uint32_t dimension, std::string_view group, std::uint32_t stored) {
  throw Error(Errc::dimension_mismatch, "commit: vectors under key " + quoted(key) + " have dimension " +
                                            std::to_string(dimension) + ", those stored in group " + quoted(group) +
                                            " by the same embedder have " + std::to_string(stored));
}

void refuse_column_rows(std::string_view source, const GroupRows& columns, std::size_t nodes) {
  refuse(source, "columns of " + std::to_string(column_rows(columns)) + " rows for group " + quoted(columns.group) +
                     ", which has " + std::to_string(nodes) + " nodes");
}

std::size_t bytes_of(const Commit& commit) {
  std::size_t bytes = 0;
  const auto add = [&bytes](const std::vector<GroupRows>& groups) {
    for (const GroupRows& group : groups)
      for (const DenseRows& dense : group.dense) bytes += dense.values.size() * sizeof(float);
  };
  for (const SourceWrite& write : commit.sources) {
    bytes += write.text.size();
    add(write.groups);
  }
  for (const GroupWrite& write : commit.groups) {
    add(write.groups);
    add(write.columns);
  }
  return bytes;
}

std::size_t column_rows(const GroupRows& columns) {
  if (!columns.sparse.empty()) return columns.sparse.front().rows.size();
  const DenseRows& dense = columns.dense.front();
  return dense.dimension > 0 ? dense.values.size() / dense.dimension : 0;
}

}  // namespace ragstone
