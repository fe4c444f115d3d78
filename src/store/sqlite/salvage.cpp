#include "store/sqlite/salvage.hpp"

#include "store/sqlite/blobs.hpp"
#include "store/sqlite/commit_log.hpp"
#include "store/sqlite/digest.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <exception>
#include <functional>
#include <initializer_list>
#include <optional>
#include <utility>

namespace ragstone::sqlite {
namespace {

std::int64_t value_of(Database& database, const char* sql) {
  Statement& read = database.statement(sql);
  const Rows guard(read);
  return read.step() ? read.integer(0) : 0;
}

std::int64_t last_source_of_counters(Database& database) {
  const std::int64_t last = load_catalog(database).next_source - 1;
  return last < UINT32_MAX ? last : 0;
}

using Places = std::initializer_list<std::function<std::int64_t()>>;

/// The largest that any of several places tells: each may be the one that is damaged. Errors: those of the first, if
/// none can be read.
std::int64_t largest_of(const Places& places) {
  std::optional<std::int64_t> last;
  std::exception_ptr error;
  for (const auto& place : places) try {
      last = std::max(last.value_or(0), place());
    } catch (const Error&) {
      if (!error) error = std::current_exception();
    }
  if (!last) std::rethrow_exception(error);
  return *last;
}

std::int64_t last_source(Database& database) {
  return largest_of({
      [&] { return value_of(database, "SELECT max(number) FROM source"); },
      [&] { return value_of(database, "SELECT max(source) FROM node_run"); },
      [&] { return last_source_of_counters(database); },
  });
}

/// Above the ids of all nodes in the tables.
NodeId end_of_nodes(Database& database) {
  try {
    return static_cast<NodeId>(largest_of({
        [&] { return value_of(database, "SELECT min(max(first), 1 << 62) FROM node_run") + std::int64_t{kNodesOfRun}; },
        [&] { return static_cast<std::int64_t>(load_catalog(database).next_node); },
    }));
  } catch (const Error&) {
    return kNoEnd;
  }
}

/// More than there can be in the database, so that a damaged list of them takes no more memory.
std::size_t most_nodes(Database& database) {
  constexpr std::int64_t kLeastNode = 32;  // Its two hashes.
  return static_cast<std::size_t>(
      std::max<std::int64_t>(value_of(database, "PRAGMA page_count") * value_of(database, "PRAGMA page_size"), 0) /
      kLeastNode);
}

std::string in_quotes(const std::string& name) { return '"' + name + '"'; }

}  // namespace

Salvage::Salvage(Database& database, const PartFolder& parts, RecoveryReport& report)
    : database_(database), report_(report), numbers_(database, "number", "source") {
  load_definitions();
  find_last_source();
  at_ = numbers_.before_first();
  end_of_nodes_ = end_of_nodes(database);
  most_nodes_ = most_nodes(database);
  load_parts(parts);
}

void Salvage::find_last_source() {
  try {
    last_source_ = last_source(database_);
  } catch (const Error& error) {
    if (error.errc() != Errc::corrupt_store) throw;
    last_source_ = INT64_MAX;
    no_last_source_ = error.what();
  }
}

void Salvage::load_definitions() {
  try {
    catalog_ = Catalog::load_definitions(database_);
  } catch (const Error& error) {
    // The texts are saved without.
    lose("definitions of groups and columns", error.what(), {});
  }
}

void Salvage::load_parts(const PartFolder& files) {
  RowNumbers(database_, "number", "part")
      .for_each(
          [&](std::int64_t number) {
            try {
              if (const std::optional<LoadedPart> loaded = load_part(database_, files, catalog_, number))
                add_part(*loaded);
            } catch (const Error& error) {
              lose(name_of_rows("part", number, number), error.what(), {});
            }
          },
          [this](std::int64_t first, std::int64_t last, const std::string& problem) {
            lose(name_of_rows("part", first, last), problem, {});
          });
  load_log();
}

void Salvage::load_log() {
  std::string problem;
  const auto note = [&problem](std::int64_t commit, const std::string& what) {
    if (problem.empty()) problem = "commit " + std::to_string(commit) + ": " + what;
  };
  RowNumbers(database_, "generation", "commit_log")
      .for_each(
          [&](std::int64_t commit) {
            try {
              for (const LoadedPart& loaded : load_staged(database_, catalog_, static_cast<Generation>(commit)))
                add_part(loaded);
            } catch (const Error& error) {
              note(commit, error.what());
            }
            try {
              load_fresh(static_cast<Generation>(commit));
            } catch (const Error& error) {
              note(commit, error.what());
            }
          },
          [&](std::int64_t first, std::int64_t, const std::string& what) { note(first, what); });
  if (!problem.empty()) lose("log of commits", problem, {});
  std::reverse(fresh_.begin(), fresh_.end());
}

void Salvage::load_fresh(Generation commit) {
  const OnDamagedSource on_damage = [this](const std::string& what, const std::string& id, const std::string& why) {
    lose(what, why, id.empty() ? std::vector<std::string>() : std::vector<std::string>{id});
  };
  for (FreshSources::Pointer& source : read_fresh(database_, commit, on_damage)) fresh_.push_back(std::move(source));
}

void Salvage::add_part(const LoadedPart& loaded) {
  const auto* dense = std::get_if<std::shared_ptr<const segment::DensePart>>(&loaded.part.data);
  if (dense == nullptr) return;
  const std::shared_ptr<const segment::DensePart>& part = *dense;
  segment::DeadRows dead = loaded.part.dead;
  for (const segment::Finding& finding : part->verify({})) {
    if (finding.loss == segment::Finding::Loss::part)
      throw Error(Errc::corrupt_store, "its rows cannot be told any more: " + finding.problem);
    if (finding.loss == segment::Finding::Loss::rows) dead = dead.with(finding.rows);
  }
  parts_[loaded.definition].push_back({part, std::move(dead)});
}

bool Salvage::next(Commit& commit) {
  std::optional<SourceRow> row = next_row();
  if (!row) {
    if (next_fresh(commit)) return true;
    if (ids_.empty() && !no_last_source_.empty())
      throw Error(Errc::corrupt_store, "recover store: no source can be read: " + no_last_source_);
    tell_left();
    return false;
  }
  if (digest_of(*row) != row->digest) {
    lose("source " + in_quotes(row->record.id), "its record is damaged", {row->record.id});
    return true;
  }
  if (!row->has_content()) {
    if (ids_.contains(row->record.id)) {
      lose_repeated(row->record.id);
      return true;
    }
    SourceFailure& failure = commit.failures.emplace_back();
    failure.source = row->record.id;
    failure.stage = row->record.stage;
    failure.reason = row->record.reason;
    failure.stamp = row->record.stamp;
    return true;
  }
  const std::string id = row->record.id;
  try {
    if (std::optional<SourceWrite> write = read(std::move(*row))) add(std::move(*write), commit);
  } catch (const Error& error) {
    lose("source " + in_quotes(id), error.what(), {id});
  }
  return true;
}

bool Salvage::next_fresh(Commit& commit) {
  if (fresh_.empty()) return false;
  const FreshSources::Pointer source = std::move(fresh_.back());
  fresh_.pop_back();
  const std::string& id = source->row.record.id;
  try {
    if (std::optional<SourceWrite> write = read(*source)) add(std::move(*write), commit);
  } catch (const Error& error) {
    lose("source " + in_quotes(id), error.what(), {id});
  }
  return true;
}

void Salvage::add(SourceWrite write, Commit& commit) {
  if (!ids_.insert(write.record.id).second) {
    lose_repeated(write.record.id);
    return;
  }
  std::erase_if(commit.failures, [&](const SourceFailure& failure) { return failure.source == write.record.id; });
  commit.sources.push_back(std::move(write));
}

std::optional<SourceRow> Salvage::next_row() {
  static const std::string sql =
      std::string("SELECT ") + kSourceColumns + " FROM source WHERE number > ?1 ORDER BY number LIMIT 1";
  for (;;) {
    const std::int64_t before = at_;
    try {
      Statement& read = database_.statement(sql);
      const Rows guard(read);
      read.bind_integer(1, at_);
      if (!read.step()) return std::nullopt;
      // In a damaged table the next row may be one that was read before.
      if (read.integer(0) <= before) throw Error(Errc::corrupt_store, "rows are out of order");
      at_ = read.integer(0);
      return read_source(read);
    } catch (const Error& error) {
      const bool is_row = at_ > before;
      if (!is_row && at_ == last_source_) return std::nullopt;
      if (at_ > last_source_) last_source_ = INT64_MAX;  // No place told the last one.
      if (!is_row) at_ = numbers_.end_of_damage(before, last_source_, {});
      lose(name_of_rows("source number", is_row ? at_ : before + 1, at_), error.what(), {});
    }
  }
}

std::optional<SourceWrite> Salvage::read(SourceRow row) {
  SourceWrite write;
  write.text = read_text(database_, row.text, {0, row.text.size});
  if (digest_of(write.text) != row.text_digest) {
    lose("source " + in_quotes(row.record.id), "its text is damaged", {row.record.id});
    return std::nullopt;
  }
  NodeFinder nodes(database_);
  write.groups = read_groups(row, parse_groups(row.groups, end_of_nodes_, most_nodes_), [&](NodeId id) {
    StoredNode* node = nodes.find(id);
    if (node != nullptr) read_extra(database_, *node);
    return node;
  });
  write.record = std::move(row.record);
  return write;
}

std::optional<SourceWrite> Salvage::read(const FreshSource& source) {
  SourceWrite write;
  write.text = source.text;
  // Its record has been compared with its checksum as a whole.
  write.groups =
      read_groups(source.row, parse_groups(source.row.groups, kNoEnd), [&](NodeId id) { return source.find(id); });
  write.record = source.row.record;
  return write;
}

std::vector<GroupRows> Salvage::read_groups(const SourceRow& row, std::vector<SourceGroup> stored,
                                            const FindNode& find) {
  std::vector<GroupRows> groups;
  std::vector<Group> waiting;
  for (SourceGroup& group : stored)
    if (std::optional<Group> good = read_group(row, std::move(group), find)) waiting.push_back(std::move(*good));

  std::map<std::string, std::vector<NodeId>> written;
  const auto may_follow = [&written](const Group& group) {
    if (written.contains(group.rows.group)) return false;
    return group.rows.parent.empty() ? written.empty() : written.contains(group.rows.parent);
  };
  for (;;) {
    const auto next = std::find_if(waiting.begin(), waiting.end(), may_follow);
    if (next == waiting.end()) break;
    Group group = std::move(*next);
    waiting.erase(next);
    if (!group.rows.parent.empty() && !number_parents(group, written.at(group.rows.parent))) {
      lose_group(group.rows.group, row, "the parent of a node is not in group " + in_quotes(group.rows.parent));
      continue;
    }
    written.emplace(group.rows.group, group.row.nodes);
    add_columns(row, group);
    groups.push_back(std::move(group.rows));
  }
  for (const Group& group : waiting) {
    std::string problem = "its parent group " + in_quotes(group.rows.parent) + " is lost";
    if (group.rows.parent.empty()) problem = "the source has another root";
    if (written.contains(group.rows.group)) problem = "it is there already";
    lose_group(group.rows.group, row, std::move(problem));
  }
  return groups;
}

bool Salvage::number_parents(Group& group, const std::vector<NodeId>& parents) {
  std::map<NodeId, std::uint32_t> numbers;
  for (std::uint32_t i = 0; i < parents.size(); ++i) numbers.emplace(parents[i], i);
  for (std::size_t i = 0; i < group.rows.rows.size(); ++i) {
    const auto number = numbers.find(group.parents[i]);
    if (number == numbers.end()) return false;
    group.rows.rows[i].parent = number->second;
  }
  return true;
}

std::optional<Salvage::Group> Salvage::read_group(const SourceRow& source, SourceGroup row, const FindNode& find) {
  Group group;
  std::string problem;
  try {
    const GroupDefinition& definition = catalog_.group(row.definition);
    group.rows.group = definition.name;
    group.rows.parent = definition.parent;
    group.rows.signature = definition.signature;
    if (digest_of(source.number, row, catalog_) != row.digest) problem = "its record is damaged";
    Digest digest;
    for (const NodeId id : row.nodes) {
      const StoredNode* node = find(id);
      if (node == nullptr) throw Error(Errc::corrupt_store, "node " + std::to_string(id) + " is missing");
      add_to_digest(digest, *node);
      NodeRow& to = group.rows.rows.emplace_back();
      to.uid = node->uid;
      to.content = node->content;
      to.span = node->span;
      to.is_span = node->is_span;
      to.text = node->text;
      to.metadata = node->metadata;
      group.parents.push_back(node->parent);
    }
    if (std::move(digest).value() != row.node_digest) problem = "a node is damaged";
  } catch (const Error& error) {
    problem = error.what();
  }
  if (!problem.empty()) {
    lose_group(group.rows.group, source, std::move(problem));
    return std::nullopt;
  }
  group.row = std::move(row);
  return group;
}

void Salvage::add_columns(const SourceRow& source, Group& group) {
  for (const DefinitionNumber number : group.row.columns) {
    const ColumnDefinition& definition = catalog_.column(number);
    if (definition.dimension == 0) {
      if (definition.key != kBm25Key && !definition.is_fields()) left_[number].push_back(source.record.id);
      continue;
    }
    std::optional<std::vector<float>> values = vectors(number, group);
    if (!values) {
      lose("vectors " + in_quotes(definition.key) + " of group " + in_quotes(group.rows.group) + " of source " +
               in_quotes(source.record.id),
           "some are missing or damaged", {source.record.id});
      continue;
    }
    DenseRows& dense = group.rows.dense.emplace_back();
    dense.key = definition.key;
    dense.signature = definition.signature;
    dense.dimension = definition.dimension;
    dense.values = std::move(*values);
  }
}

std::optional<std::vector<float>> Salvage::vectors(DefinitionNumber column, const Group& group) const {
  std::vector<float> values;
  const auto parts = parts_.find(column);
  for (std::size_t i = 0; i < group.row.nodes.size(); ++i) {
    bool found = false;
    if (parts != parts_.end())
      for (const segment::DenseView& view : parts->second) {
        const std::optional<std::uint32_t> row = view.part->find(group.row.nodes[i]);
        if (!row || view.dead.contains(*row) || view.part->content(*row) != group.rows.rows[i].content) continue;
        const std::span<const float> vector = view.part->vector(*row);
        found = std::all_of(vector.begin(), vector.end(), [](float x) { return std::isfinite(x); });
        if (found) values.insert(values.end(), vector.begin(), vector.end());
        break;
      }
    if (!found) return std::nullopt;
  }
  return values;
}

void Salvage::tell_left() {
  for (auto& [number, sources] : std::exchange(left_, {})) {
    const ColumnDefinition& definition = catalog_.column(number);
    lose("sparse vectors " + in_quotes(definition.key) + " of group " + in_quotes(definition.group),
         "they are not taken over", std::move(sources));
  }
}

void Salvage::lose_repeated(const std::string& id) {
  lose("source " + in_quotes(id), "another one of this id was saved before", {id});
}

void Salvage::lose_group(const std::string& group, const SourceRow& source, std::string problem) {
  lose("group " + in_quotes(group) + " of source " + in_quotes(source.record.id), std::move(problem),
       {source.record.id});
}

void Salvage::lose(std::string object, std::string problem, std::vector<std::string> sources) {
  StoreFinding& finding = report_.lost.emplace_back();
  finding.object = std::move(object);
  finding.problem = std::move(problem);
  finding.sources = std::move(sources);
}

}  // namespace ragstone::sqlite
