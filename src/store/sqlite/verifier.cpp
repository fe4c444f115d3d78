#include "store/sqlite/verifier.hpp"

#include "store/sqlite/commit_log.hpp"
#include "store/sqlite/damaged_table.hpp"
#include "store/sqlite/digest.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/base/utf8.hpp>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

namespace ragstone::sqlite {
namespace {

// Where much is damaged, more findings help nobody.
constexpr std::size_t kMaxFindings = 10'000;

bool contains_span(const StoredNode& node, std::string_view text) {
  return !node.is_span || (node.span.begin <= node.span.end && node.span.end <= text.size());
}

std::string name_of_part(const Part& part) {
  return part.is_staged() ? "part " + std::to_string(part.number) : "segments/" + part.file;
}

}  // namespace

void check_integrity(Database& database, const StopToken& stop, const std::function<void(std::string)>& tell) {
  const Interruption interruption(database, stop);
  Statement& check = database.statement("PRAGMA integrity_check");
  const Rows guard(check);
  while (check.step())
    if (check.text(0) != "ok") tell(std::string(check.text(0)));
}

Verifier::Verifier(Database& database, const State& state, DamageLog* damage, const StopToken& stop)
    : database_(database), state_(state), damage_(damage), stop_(stop) {}

VerifyReport Verifier::run() && {
  check_database();
  check_sources();
  for (const FreshSources::Pointer& source : state_.fresh->all()) check_fresh_source(*source);
  check_counts();
  check_blocks();
  check_columns();
  check_changes();
  return std::move(report_);
}

void Verifier::check_database() {
  try {
    check_integrity(database_, stop_, [this](std::string problem) { add("database", std::move(problem)); });
  } catch (...) {
    add("database", std::current_exception());
  }
}

void Verifier::check_sources() {
  static const std::string sql =
      std::string("SELECT ") + kSourceColumns + " FROM source WHERE number > ?1 ORDER BY number LIMIT 1";
  const RowNumbers numbers(database_, "number", "source");
  std::int64_t number = 0;
  for (;;) {
    throw_if_stopped(stop_);
    const std::int64_t before = number;
    try {
      Statement& read = database_.statement(sql);
      const Rows guard(read);
      read.bind_integer(1, number);
      if (!read.step()) return;
      number = read.integer(0);
      // In a damaged table the next row may be one that was read before.
      if (number <= before) throw Error(Errc::corrupt_store, "rows are out of order");
      const SourceRow source = read_source(read);
      read.reset();
      check_source(source);
    } catch (...) {
      const std::exception_ptr error = std::current_exception();
      if (is_cancelled(error)) std::rethrow_exception(error);
      const bool is_row = number > before;
      if (!is_row) number = numbers.end_of_damage(before, state_.catalog.next_source, stop_);
      add(name_of_rows("source number", is_row ? number : before + 1, number), error);
      if (number >= state_.catalog.next_source || report_.findings.size() >= kMaxFindings) return;
    }
  }
}

void Verifier::check_source(const SourceRow& source) {
  ++report_.sources;
  const std::string object = "source \"" + source.record.id + '"';
  std::string problem;
  if (digest_of(source) != source.digest) problem = "its record is damaged";
  std::string text;
  try {
    if (source.has_content()) {
      ++stored_;
      if (!is_possible(source.text, state_.catalog.next_block))
        throw Error(Errc::corrupt_store, "its text cannot be where its record says");
      const auto first = static_cast<std::uint64_t>(source.text.offset);
      for (std::uint64_t at = first; at < first + source.text.size;) {
        const std::uint64_t size = std::min(kTextBlockBytes - at % kTextBlockBytes, first + source.text.size - at);
        block_use_[source.text.block + static_cast<std::int64_t>(at / kTextBlockBytes)] +=
            static_cast<std::int64_t>(size);
        at += size;
      }
      text = read_text(database_, source.text, {0, source.text.size});
      if (digest_of(text) != source.text_digest) problem = "its text is damaged";
    }
    NodeFinder nodes(database_);
    const auto find = [&](NodeId id) {
      StoredNode* node = nodes.find(id);
      if (node != nullptr) read_extra(database_, *node);
      return node;
    };
    for (const SourceGroup& group : parse_groups(source.groups, state_.catalog.next_node))
      check_group(source, group, text, find, problem);
  } catch (...) {
    add(object, std::current_exception(), {source.record.id});
  }
  if (!problem.empty()) add(object, problem, {source.record.id});
}

void Verifier::check_fresh_source(const FreshSource& source) {
  ++report_.sources;
  ++stored_;
  std::string problem;
  if (digest_of(source.text) != source.row.text_digest) problem = "its text is damaged";
  const auto find = [&source](NodeId id) { return source.find(id); };
  for (const SourceGroup& group : parse_groups(source.row.groups, state_.catalog.next_node))
    check_group(source.row, group, source.text, find, problem);
  if (!problem.empty()) add("source \"" + source.row.record.id + '"', problem, {source.row.record.id});
}

void Verifier::check_group(const SourceRow& source, const SourceGroup& group, std::string_view text,
                           const FindNode& find, std::string& problem) {
  if (digest_of(source.number, group, state_.catalog) != group.digest) problem = "the record of a group is damaged";
  ++groups_[group.definition].sources;
  Digest digest;
  std::uint32_t number = 0;
  for (const NodeId id : group.nodes) {
    const StoredNode* node = find(id);
    if (node == nullptr) {
      problem = "node " + std::to_string(id) + " is missing";
      continue;
    }
    ++report_.nodes;
    if (!contains_span(*node, text)) problem = "a node lies outside of its text";
    if (node->source != source.number || node->definition != group.definition || node->number != number++)
      problem = "node " + std::to_string(id) + " belongs elsewhere";
    if (node->has_metadata) ++groups_[group.definition].own_metadata;
    add_to_digest(digest, *node);
    for (const DefinitionNumber column : group.columns) {
      const bool has_contents = !state_.catalog.column(column).is_fields();
      rows_[column].push_back({id, source.number, has_contents ? node->content : Hash128()});
    }
  }
  if (std::move(digest).value() != group.node_digest) problem = "a node is damaged";
  for (const DefinitionNumber column : group.columns) ++columns_[column].sources;
}

void Verifier::check_columns() {
  for (const auto& [definition, column] : state_.columns)
    for (const Part& part : column->parts) {
      throw_if_stopped(stop_);
      check_part(part);
    }
  std::set<DefinitionNumber> definitions;
  for (const auto& [definition, column] : state_.columns) definitions.insert(definition);
  for (const auto& [definition, rows] : rows_) definitions.insert(definition);
  for (const DefinitionNumber definition : definitions) check_rows(definition, rows_[definition]);
  for (const auto& [definition, sources] : state_.lost->all()) {
    std::vector<std::string> ids;
    for (const std::int64_t source : sources) ids.push_back(source_id(source));
    add("column " + std::to_string(definition), "rows were lost to damage; the next sync makes them anew",
        std::move(ids));
  }
}

void Verifier::check_part(const Part& part) {
  ++report_.parts;
  const auto source_ids = [&](const std::vector<std::uint32_t>& rows) {
    std::set<std::string> ids;
    for (const std::uint32_t row : rows)
      ids.insert(source_id(std::visit([row](const auto& data) { return data->source(row); }, part.data)));
    return std::vector<std::string>(ids.begin(), ids.end());
  };
  try {
    for (const segment::Finding& finding :
         std::visit([this](const auto& data) { return data->verify(stop_); }, part.data)) {
      const bool is_healed = finding.loss == segment::Finding::Loss::rows && !finding.rows.empty() &&
                             std::all_of(finding.rows.begin(), finding.rows.end(),
                                         [&part](std::uint32_t row) { return part.dead.contains(row); });
      if (is_healed) continue;
      if (damage_ != nullptr) damage_->suspect(part.number);
      add(name_of_part(part), finding.problem, source_ids(finding.rows));
    }
  } catch (...) {
    add(name_of_part(part), std::current_exception());
  }
}

void Verifier::check_rows(DefinitionNumber definition, std::vector<ExpectedRow>& expected) {
  std::vector<ExpectedRow> found;
  std::uint64_t dead_tokens_wrong = 0;
  if (const Column* column = state_.column(definition))
    for (const Part& part : column->parts) {
      std::uint64_t dead_tokens = 0;
      for (std::uint32_t row = 0; row < part.rows(); ++row) {
        if (part.dead.contains(row)) {
          if (const auto* sparse = std::get_if<std::shared_ptr<const segment::SparsePart>>(&part.data))
            dead_tokens += (*sparse)->length(row);
          continue;
        }
        found.push_back(std::visit(
            [row](const auto& data) {
              return ExpectedRow{data->node(row), data->source(row), data->content(row)};
            },
            part.data));
      }
      if (dead_tokens != part.dead_tokens) ++dead_tokens_wrong;
    }
  const std::string object = "column " + std::to_string(definition);
  if (dead_tokens_wrong > 0) add(object, "the length of its dead rows is miscounted");

  const auto less = [](const ExpectedRow& a, const ExpectedRow& b) {
    return std::tie(a.node, a.source, a.content) < std::tie(b.node, b.source, b.content);
  };
  std::sort(expected.begin(), expected.end(), less);
  std::sort(found.begin(), found.end(), less);
  std::vector<ExpectedRow> wrong;
  std::set_symmetric_difference(expected.begin(), expected.end(), found.begin(), found.end(), std::back_inserter(wrong),
                                less);
  std::erase_if(wrong, [&](const ExpectedRow& row) { return state_.lost->has(definition, row.source); });
  std::set<std::int64_t> sources;
  for (const ExpectedRow& row : wrong) sources.insert(row.source);
  if (wrong.empty()) return;
  std::vector<std::string> ids;
  for (const std::int64_t source : sources) ids.push_back(source_id(source));
  add(object, std::to_string(wrong.size()) + " rows are missing from its parts, or stand for no node", std::move(ids));
}

void Verifier::check_counts() {
  if (stored_ != state_.catalog.stored) add("database", "the number of sources is miscounted");
  for (const auto& [number, definition] : state_.catalog.groups()) {
    const Counts& counts = groups_[number];
    if (counts.sources != definition.sources || counts.own_metadata != definition.own_metadata)
      add("group \"" + definition.name + '"', "its sources are miscounted");
  }
  for (const auto& [number, definition] : state_.catalog.columns())
    if (columns_[number].sources != definition.sources)
      add("column \"" + definition.key + "\" of group \"" + definition.group + '"', "its sources are miscounted");
}

void Verifier::check_blocks() {
  try {
    const Interruption interruption(database_, stop_);
    Statement& read = database_.statement(
        "SELECT b.number, coalesce(u.live, length(b.bytes)) FROM text_block b LEFT JOIN text_use u ON u.block = "
        "b.number "
        "UNION ALL SELECT block, live FROM text_use WHERE block NOT IN (SELECT number FROM text_block)");
    const Rows guard(read);
    while (read.step()) {
      const auto use = block_use_.find(read.integer(0));
      if (use == block_use_.end() || use->second != read.integer(1))
        add("text block " + std::to_string(read.integer(0)), "its use is miscounted");
      if (use != block_use_.end()) block_use_.erase(use);
    }
    for (const auto& [block, use] : block_use_)
      if (use > 0) add("text block " + std::to_string(block), "it is missing");
  } catch (...) {
    add("database", std::current_exception());
  }
}

void Verifier::check_changes() {
  try {
    std::int64_t ids = 0;
    Generation missing = state_.catalog.generation - state_.catalog.oldest_change;
    for (const LogEntry& entry : read_log(database_)) {
      if (entry.is_damaged)
        add("change log", "the entry of generation " + std::to_string(entry.generation) + " is damaged");
      ids += entry.ids;
      if (entry.generation > state_.catalog.oldest_change) --missing;
    }
    if (missing != 0 || ids != state_.catalog.logged_ids) add("change log", "its entries are missing or miscounted");
  } catch (...) {
    add("change log", std::current_exception());
  }
}

void Verifier::add(std::string object, std::string problem, std::vector<std::string> sources) {
  if (report_.findings.size() >= kMaxFindings) return;
  StoreFinding& finding = report_.findings.emplace_back();
  finding.object = std::move(object);
  finding.problem = std::move(problem);
  finding.sources = std::move(sources);
}

void Verifier::add(std::string object, const std::exception_ptr& error, std::vector<std::string> sources) {
  if (is_cancelled(error)) std::rethrow_exception(error);
  add(std::move(object), message_of(error), std::move(sources));
}

std::string Verifier::source_id(std::int64_t number) {
  if (const FreshSource* fresh = state_.fresh->find(number)) return fresh->row.record.id;
  try {
    Statement& read = database_.statement("SELECT id FROM source WHERE number = ?1");
    const Rows guard(read);
    read.bind_integer(1, number);
    if (read.step()) return std::string(read.text(0));
  } catch (const Error&) {
    // Its number has to do.
  }
  return "source number " + std::to_string(number);
}

}  // namespace ragstone::sqlite
