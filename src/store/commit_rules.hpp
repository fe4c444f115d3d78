#pragma once

#include <ragstone/base/stop.hpp>
#include <ragstone/store/commit.hpp>

#include <cstddef>
#include <string_view>

namespace ragstone {

/// Checks what a commit says by itself, before any store is asked: names, spans of sources that bring their text,
/// parents within a write, shapes of columns, each source at most once. Errors: Errc::invalid_argument.
void check_commit(const Commit& commit, const StopToken& stop);

/// Checks that the spans of a group's rows lie in `text`, between code points. Errors: Errc::invalid_argument.
void check_spans(const GroupRows& group, std::string_view source, std::string_view text);

/// Checks that each row's parent is one of `parents` rows. Errors: Errc::invalid_argument.
void check_parents(const GroupRows& group, std::string_view source, std::size_t parents);

/// How many rows a set of columns without nodes is for.
std::size_t column_rows(const GroupRows& columns);

}  // namespace ragstone
