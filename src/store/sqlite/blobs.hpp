#pragma once

#include <ragstone/base/ids.hpp>
#include <ragstone/base/metadata.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// What the blobs in the tables hold. Reading throws Errc::corrupt_store for bytes that do not have the form.
namespace ragstone::sqlite {

/// Empty for empty metadata.
std::string write_metadata(const Metadata& metadata);
Metadata read_metadata(std::string_view bytes);

/// Above all ids.
inline constexpr NodeId kNoEnd = INT64_MAX;

/// Ids in any order; runs of consecutive ones take few bytes.
std::string write_ids(std::span<const NodeId> ids);
/// `end`: all ids are below it, and `most`: there are no more of them, so that a damaged blob takes no more memory than
/// they all do.
std::vector<NodeId> read_ids(std::string_view bytes, NodeId end = kNoEnd, std::size_t most = SIZE_MAX);

std::string write_numbers(std::span<const std::int64_t> numbers);
std::vector<std::int64_t> read_numbers(std::string_view bytes);

}  // namespace ragstone::sqlite
