#include "rag/prepare.hpp"

#include <ragstone/base/error.hpp>
#include <ragstone/base/utf8.hpp>

#include <algorithm>
#include <chrono>
#include <unordered_map>

namespace ragstone {
namespace {

/// A stamp that nothing has, so that the next scan reads the file again.
constexpr std::int64_t kDoubtful = -1;

/// A file that was written a moment ago may be written again without its modification time moving on.
FileStamp trusted_stamp(FileStamp stamp) {
  using namespace std::chrono;
  constexpr std::int64_t kTick = nanoseconds(seconds(2)).count();
  const std::int64_t now = duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count();
  if (now - stamp.modified_ns < kTick) stamp.modified_ns = kDoubtful;
  return stamp;
}

void add_file_metadata(const std::string& id, std::uint64_t size, Metadata& metadata) {
  const std::string name = id.substr(id.rfind('/') + 1);
  const std::size_t dot = name.rfind('.');
  metadata.set("file_name", Scalar(name));
  metadata.set("file_type", Scalar(dot == std::string::npos ? std::string() : name.substr(dot + 1)));
  metadata.set("file_size", Scalar(static_cast<std::int64_t>(size)));
}

ReadItem read_text(const IngestItem& item, std::uint64_t max_bytes, Stage& stage) {
  if (item.text.size() > max_bytes)
    throw Error(Errc::limit_exceeded, "source \"" + item.id + "\" has " + std::to_string(item.text.size()) +
                                          " bytes; DocumentOptions::max_source_bytes allows " +
                                          std::to_string(max_bytes));
  stage = Stage::read;
  if (const std::size_t bad = utf8::find_invalid(item.text); bad != utf8::npos)
    throw Error(Errc::parse_error, "source \"" + item.id + "\": byte " + std::to_string(bad) +
                                       " is not UTF-8; convert the text with decode_text() first");
  ReadItem read;
  SourceRecord& record = read.write.record;
  record.id = item.id;
  record.content = hash128(item.text);
  record.metadata = item.metadata;
  if (item.was_file) {
    record.content = item.was_file->content;
    record.stamp = item.was_file->stamp;
    record.reader = item.was_file->reader;
    record.offset_map = item.was_file->offset_map;
  }
  read.write.replaces = item.replaces;
  read.write.text = item.text;
  return read;
}

ReadItem read_file(const IngestItem& item, const std::vector<std::shared_ptr<const Reader>>& readers,
                   std::uint64_t max_bytes, const StopToken& stop, Stage& stage) {
  LoadedFile loaded = load_file(item.path, max_bytes, stop);
  ReadItem read;
  SourceRecord& record = read.write.record;
  record.id = item.id;
  record.stamp = trusted_stamp(loaded.stamp);
  record.content = hash128(loaded.bytes);

  stage = Stage::read;
  const auto reader = std::find_if(readers.begin(), readers.end(), [&](const auto& r) { return r->accepts(item.id); });
  if (reader == readers.end()) throw Error(Errc::unsupported, "no reader accepts \"" + item.id + "\"");
  record.reader = (*reader)->signature();
  read.unchanged = item.known_content == record.content && item.known_reader == record.reader;
  if (read.unchanged) {
    read.restamped = record.stamp->modified_ns != kDoubtful && record.stamp != item.known_stamp;
    return read;
  }

  RawFile raw;
  raw.path = item.id;
  raw.bytes = std::move(loaded.bytes);
  ReadText text = (*reader)->read(raw, stop);
  read.write.text = std::move(text.text);
  record.offset_map = text.offsets.serialize();
  record.metadata = std::move(text.metadata);
  add_file_metadata(item.id, record.stamp->size, record.metadata);
  return read;
}

Metadata overlaid(const Metadata& below, const Metadata& above) {
  Metadata both = below;
  for (const auto& [name, value] : above) both.set(name, value);
  return both;
}

/// Appends the chunks of one parent row.
void add_rows(const std::vector<Chunk>& chunks, std::uint32_t parent_number, const NodeRow& parent,
              const std::string& source_text, GroupRows& group) {
  const std::string_view parent_text = row_text(parent, source_text);
  for (const Chunk& chunk : chunks) {
    NodeRow row;
    row.parent = parent_number;
    row.metadata = chunk.metadata;
    row.is_span = parent.is_span && !chunk.text;
    if (row.is_span) {
      row.span = Span{parent.span.begin + chunk.span.begin, parent.span.begin + chunk.span.end};
    } else {
      row.span = parent.span;
      row.text = chunk.text ? *chunk.text : std::string(chunk.span.of(parent_text));
    }
    row.content = hash128(row_text(row, source_text));
    group.rows.push_back(std::move(row));
  }
}

void add_uids(const std::string& source_id, GroupRows& group) {
  std::unordered_map<Hash128, std::uint32_t> seen;
  for (NodeRow& row : group.rows)
    row.uid = make_uid(source_id, group.group, group.signature, row.content, seen[row.content]++);
}

SparseRows analyze_rows(const PlannedColumn& column, const TextTerms& terms, const GroupRows& group,
                        const std::string& source_text, const Metadata& metadata, const StopToken& stop) {
  SparseRows sparse;
  sparse.key = column.key;
  sparse.signature = column.signature;
  for (const NodeRow& row : group.rows) {
    throw_if_stopped(stop);
    terms.count(group.group, row_text(row, source_text), row.metadata, metadata, sparse);
  }
  return sparse;
}

}  // namespace

bool is_valid_source_id(std::string_view id) noexcept {
  return !id.empty() && id.size() <= 4096 && id.find('\0') == std::string_view::npos && utf8::is_valid(id);
}

std::string_view row_text(const NodeRow& row, const std::string& source_text) {
  return row.is_span ? row.span.of(source_text) : std::string_view(row.text);
}

ReadItem read_item(const IngestItem& item, const std::vector<std::shared_ptr<const Reader>>& readers,
                   std::uint64_t max_bytes, const StopToken& stop, Stage& stage) {
  stage = Stage::load;
  if (!is_valid_source_id(item.id))
    throw Error(Errc::invalid_argument, "a source's id is 1 to 4096 bytes of valid UTF-8 without NUL");
  return item.is_file() ? read_file(item, readers, max_bytes, stop, stage) : read_text(item, max_bytes, stage);
}

std::vector<GroupRows> make_groups(const std::string& source_id, const std::string& text, const Metadata& metadata,
                                   const IngestPlan& plan, const StopToken& stop, Stage& stage) {
  std::vector<GroupRows> groups;
  groups.reserve(plan.groups.size());
  for (const PlannedGroup& planned : plan.groups) {
    GroupRows group;
    group.group = planned.name;
    group.parent = planned.parent;
    group.signature = planned.signature;
    stage = Stage::chunk;
    if (!planned.chunker) {
      NodeRow root;
      root.span = Span{0, text.size()};
      root.content = hash128(text);
      group.rows.push_back(std::move(root));
    } else {
      const auto parent = std::find_if(groups.begin(), groups.end(),
                                       [&](const GroupRows& candidate) { return candidate.group == planned.parent; });
      for (std::uint32_t number = 0; number < parent->rows.size(); ++number) {
        const NodeRow& row = parent->rows[number];
        const Metadata visible = overlaid(metadata, row.metadata);
        ChunkInput input;
        input.text = row_text(row, text);
        input.source = source_id;
        input.metadata = &visible;
        add_rows(planned.chunker->chunk(input, stop), number, row, text, group);
      }
    }
    add_uids(source_id, group);
    stage = Stage::analyze;
    for (const PlannedColumn& column : planned.columns)
      if (column.is_bm25()) group.sparse.push_back(analyze_rows(column, *plan.terms, group, text, metadata, stop));
    groups.push_back(std::move(group));
  }
  return groups;
}

}  // namespace ragstone
