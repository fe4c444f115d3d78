#pragma once

#include "store/segment/sparse_part.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ragstone::segment {

/// Writes a sparse part: the rows' columns first, then term by term, then the dictionary, which is kept in memory.
class SparseWriter {
 public:
  /// `to` outlives the writer.
  SparseWriter(ImageSink& to, Generation generation, std::uint64_t rows, std::uint64_t tokens);

  /// Of the row with that number, to which it is asked several times.
  struct RowSource {
    std::function<RowKey(std::size_t)> key;
    std::function<std::uint32_t(std::size_t)> length;
  };

  void write_rows(const RowSource& rows);
  /// `term` is above all before; `postings` ascend by row and are not empty.
  void add_term(std::string_view term, std::span<const Posting> postings);
  void finish();

 private:
  template <class Value>
  void write_column(SectionId section, Value value);
  void write_encoded();

  std::uint64_t rows_;
  std::vector<std::uint32_t> lengths_;
  ContainerWriter writer_;
  TermDictionaryWriter terms_;
  std::string encoded_;  ///< Posting lists that are not written yet.
  std::uint64_t postings_bytes_ = 0;
};

}  // namespace ragstone::segment
