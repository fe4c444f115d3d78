#include "store/sqlite/fresh_sources.hpp"

#include "store/coding.hpp"
#include "store/sqlite/blobs.hpp"
#include "store/sqlite/digest.hpp"
#include "store/sqlite/node_coding.hpp"
#include "store/sqlite/text_blocks.hpp"
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace ragstone::sqlite {
namespace {

void write_record(ByteWriter& out, const SourceRow& row) {
  const SourceRecord& record = row.record;
  out.zigzag(row.number);
  out.string(record.id);
  out.varint(record.generation);
  out.hash(record.content);
  out.varint(record.stamp ? 1 : 0);
  if (record.stamp) {
    out.varint(record.stamp->size);
    out.zigzag(record.stamp->modified_ns);
  }
  out.string(record.reader);
  out.string(write_metadata(record.metadata));
  out.string(record.offset_map);
  out.raw(row.text_digest);
  out.string(row.groups);
}

SourceRow read_record(ByteReader& in) {
  SourceRow row;
  SourceRecord& record = row.record;
  row.number = in.zigzag();
  record.id = in.string();
  record.generation = in.varint();
  record.content = in.hash();
  if (in.varint(1) == 1) {
    record.stamp.emplace();
    record.stamp->size = in.varint();
    record.stamp->modified_ns = in.zigzag();
  }
  record.reader = in.string();
  record.metadata = read_metadata(in.string());
  record.offset_map = in.string();
  row.text_digest = in.raw<std::int64_t>();
  row.groups = in.string();
  return row;
}

FreshSource read_source(std::string_view bytes) {
  FreshSource source;
  ByteReader in(bytes, "new source of a commit");
  source.row = read_record(in);
  source.text = in.string();
  source.row.text.size = source.row.record.text_bytes = source.text.size();
  source.row.digest = digest_of(source.row);
  for (const SourceGroup& group : parse_groups(source.row.groups, kNoEnd)) {
    const std::size_t first = source.nodes.size();
    NodePosition position;
    for (const NodeId id : group.nodes) {
      if (!source.nodes.empty() && id <= source.nodes.back().id) in.fail();
      const std::size_t at = source.nodes.size();
      StoredNode& node = source.nodes.emplace_back();
      node.id = id;
      node.source = source.row.number;
      node.definition = group.definition;
      node.number = static_cast<std::uint32_t>(at - first);
      read_node(in, node, position);
      if (node.is_span && node.span.end > source.text.size()) in.fail();
      if (!node.is_span) node.text = in.string();
      if (node.has_metadata) node.metadata = read_metadata(in.string());
    }
  }
  in.expect_end();
  return source;
}

}  // namespace

const StoredNode* FreshSource::find(NodeId id) const noexcept {
  if (nodes.empty() || id < nodes.front().id || id > nodes.back().id) return nullptr;
  const auto node = std::lower_bound(nodes.begin(), nodes.end(), id,
                                     [](const StoredNode& n, NodeId wanted) { return n.id < wanted; });
  return node->id == id ? &*node : nullptr;
}

const FreshSource* FreshSources::find(std::string_view id) const noexcept {
  const auto found = std::find_if(sources_.begin(), sources_.end(),
                                  [id](const Pointer& source) { return source->row.record.id == id; });
  return found == sources_.end() ? nullptr : found->get();
}

const FreshSource* FreshSources::find(std::int64_t number) const noexcept {
  const auto found = std::lower_bound(sources_.begin(), sources_.end(), number,
                                      [](const Pointer& source, std::int64_t n) { return source->row.number < n; });
  return found == sources_.end() || (*found)->row.number != number ? nullptr : found->get();
}

const StoredNode* FreshSources::find_node(NodeId id) const noexcept {
  for (const Pointer& source : sources_)
    if (const StoredNode* node = source->find(id)) return node;
  return nullptr;
}

FreshSources FreshSources::with(Pointer source) const {
  FreshSources more = *this;
  more.bytes_ += source->text.size();
  more.sources_.push_back(std::move(source));
  return more;
}

void append_fresh(std::string& sources, const FreshSource& source) {
  ByteWriter out;
  write_record(out, source.row);
  out.string(source.text);
  NodePosition position;
  DefinitionNumber definition = 0;
  for (const StoredNode& node : source.nodes) {
    if (std::exchange(definition, node.definition) != node.definition) position = {};
    write_node(out, node, position);
    if (!node.is_span) out.string(node.text);
    if (node.has_metadata) out.string(write_metadata(node.metadata));
  }
  const std::string bytes = std::move(out).take();
  ByteWriter framed;
  framed.string(bytes);
  framed.raw(digest_of(bytes));
  sources += std::move(framed).take();
}

namespace {

/// The id may be wrong, too; it is the best there is.
std::string id_of_damaged(std::string_view bytes) {
  try {
    ByteReader in(bytes, "new source of a commit");
    return read_record(in).record.id;
  } catch (const Error&) {
    return {};
  }
}

FreshSources::Pointer read_framed(std::string_view bytes, std::int64_t digest) {
  if (digest_of(bytes) != digest) throw Error(Errc::corrupt_store, "its bytes are damaged");
  return std::make_shared<const FreshSource>(read_source(bytes));
}

}  // namespace

std::vector<FreshSources::Pointer> read_fresh(Database& database, Generation commit, const OnDamagedSource& on_damage) {
  std::vector<FreshSources::Pointer> sources;
  Statement& read = database.statement("SELECT sources FROM commit_log WHERE generation = ?1");
  const Rows guard(read);
  read.bind_integer(1, static_cast<std::int64_t>(commit));
  if (!read.step()) return sources;
  const std::string of_commit = " of commit " + std::to_string(commit);
  ByteReader in(read.blob(0), "new sources of a commit");
  while (!in.at_end()) {
    std::string_view bytes;
    std::int64_t digest = 0;
    try {
      bytes = in.string();
      digest = in.raw<std::int64_t>();
    } catch (const Error& error) {
      on_damage("new sources" + of_commit, "", error.what());
      return sources;
    }
    try {
      sources.push_back(read_framed(bytes, digest));
    } catch (const Error& error) {
      const std::string id = id_of_damaged(bytes);
      on_damage((id.empty() ? "new source" : "new source \"" + id + '"') + of_commit, id, error.what());
    }
  }
  return sources;
}

FreshSources load_fresh(Database& database, const Catalog& catalog, const OnDamagedSource& on_damage) {
  const OnDamagedSource refuse = [](const std::string& what, const std::string&, const std::string&) {
    throw Error(Errc::corrupt_store, "open store: " + what + " is damaged; recover the store");
  };
  const OnDamagedSource& told = on_damage ? on_damage : refuse;
  FreshSources sources;
  for (Generation commit = catalog.generation - catalog.fresh_commits + 1; commit <= catalog.generation; ++commit)
    for (FreshSources::Pointer& source : read_fresh(database, commit, told)) {
      const std::string& id = source->row.record.id;
      if (!sources.empty() && source->row.number <= sources.all().back()->row.number) {
        told("new source \"" + id + "\" of commit " + std::to_string(commit), id, "it is out of order");
        continue;
      }
      sources = sources.with(std::move(source));
    }
  return sources;
}

void unfold(Database& database, Catalog& catalog, const FreshSources& sources) {
  TextWriter text(database, catalog.next_block);
  NodeWriter nodes(database);
  for (const FreshSources::Pointer& source : sources.all()) {
    SourceRow row = source->row;
    row.text = text.add(source->text, row.number);
    for (const StoredNode& node : source->nodes) nodes.add(node);
    write_source(database, row);
  }
  nodes.finish();
  text.finish();
  Statement& erase = database.statement("UPDATE commit_log SET sources = x'' WHERE generation > ?1");
  erase.bind_integer(1, static_cast<std::int64_t>(catalog.generation - catalog.fresh_commits));
  erase.run();
  catalog.fresh_commits = 0;
}

}  // namespace ragstone::sqlite
