#pragma once

#include <ragstone/base/ids.hpp>
#include <ragstone/base/metadata.hpp>

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

/// Ids in any order; runs of consecutive ones take few bytes.
std::string write_ids(std::span<const NodeId> ids);
std::vector<NodeId> read_ids(std::string_view bytes);

std::string write_numbers(std::span<const std::int64_t> numbers);
std::vector<std::int64_t> read_numbers(std::string_view bytes);

}  // namespace ragstone::sqlite
