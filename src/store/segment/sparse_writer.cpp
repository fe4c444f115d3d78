#include "store/segment/sparse_writer.hpp"

namespace ragstone::segment {
namespace {

constexpr std::size_t kSections = 7;
constexpr std::size_t kBuffer = std::size_t{16} << 10;

}  // namespace

SparseWriter::SparseWriter(ImageSink& to, Generation generation, std::uint64_t rows, std::uint64_t tokens)
    : rows_(rows), writer_(to, {Kind::sparse, generation, rows, tokens}, kSections) {}

template <class Value>
void SparseWriter::write_column(SectionId section, Value value) {
  writer_.begin(section, sizeof(value(0)));
  for (std::size_t n = 0; n < rows_; ++n) writer_.append_value(value(n));
  writer_.end();
}

void SparseWriter::write_rows(const RowSource& rows) {
  write_column(SectionId::nodes, [&](std::size_t n) { return rows.key(n).node; });
  write_column(SectionId::sources, [&](std::size_t n) { return rows.key(n).source; });
  write_column(SectionId::contents, [&](std::size_t n) { return rows.key(n).content; });
  lengths_.reserve(rows_);
  for (std::size_t n = 0; n < rows_; ++n) lengths_.push_back(rows.length(n));
  write_column(SectionId::lengths, [&](std::size_t n) { return lengths_[n]; });
  writer_.begin(SectionId::posting_lists, 1);
}

void SparseWriter::add_term(std::string_view term, std::span<const Posting> postings) {
  const std::size_t before = encoded_.size();
  append_postings(encoded_, postings, lengths_);
  const std::size_t bytes = encoded_.size() - before;
  terms_.add(term, {postings_bytes_, bytes, postings.size()});
  postings_bytes_ += bytes;
  if (encoded_.size() >= kBuffer) write_encoded();
}

void SparseWriter::write_encoded() {
  writer_.append(encoded_);
  encoded_.clear();
}

void SparseWriter::finish() {
  write_encoded();
  writer_.end();
  writer_.begin(SectionId::term_blocks, sizeof(std::uint64_t));
  writer_.append(terms_.blocks());
  writer_.end();
  writer_.begin(SectionId::terms, 1);
  writer_.append(terms_.bytes());
  writer_.end();
  writer_.finish();
}

}  // namespace ragstone::segment
