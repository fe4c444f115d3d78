#pragma once

#include <ragstone/base/stop.hpp>
#include <ragstone/store/commit.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ragstone {

/// Checks what a commit says by itself, before any store is asked: names, spans of sources that bring their text,
/// parents within a write, shapes of columns, each source at most once. Errors: Errc::invalid_argument.
void check_commit(const Commit& commit, const StopToken& stop);

/// Checks that the spans of a group's rows lie in `text`, between code points. Errors: Errc::invalid_argument.
void check_spans(const GroupRows& group, std::string_view source, std::string_view text);

/// Checks that each row's parent is one of `parents` rows. Errors: Errc::invalid_argument.
void check_parents(const GroupRows& group, std::string_view source, std::size_t parents);

/// A group that a source has.
struct GroupPlace {
  std::string_view group;
  std::string_view parent;
};

/// Checks that the groups of a source stay a tree with this one in it. Errors: Errc::invalid_argument.
void check_place(const GroupRows& rows, std::string_view source, std::span<const GroupPlace> groups);

/// The error of a GroupWrite that takes parents away from the nodes of a group that it does not replace.
[[noreturn]] void refuse_orphans(std::string_view source, std::string_view group, std::string_view parent);

/// The error of vectors that differ in dimension from those of the same embedder in `group`.
[[noreturn]] void refuse_dimension(std::string_view key, std::uint32_t dimension, std::string_view group,
                                   std::uint32_t stored);

/// The error of columns for a stored group that has another number of nodes.
[[noreturn]] void refuse_column_rows(std::string_view source, const GroupRows& columns, std::size_t nodes);

/// About how much memory its texts and vectors take.
std::size_t bytes_of(const Commit& commit);

/// How many rows a set of columns without nodes is for.
std::size_t column_rows(const GroupRows& columns);

}  // namespace ragstone
