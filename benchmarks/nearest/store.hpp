#pragma once

#include "vector/data_sets.hpp"
#include <ragstone/base/ids.hpp>
#include <ragstone/store/engine.hpp>
#include <ragstone/store/snapshot.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

/// A set of vectors in a store as a Document would put it there: sources of a thousand lines, each line with a vector
/// and a rank of its own from 0 to 999.
namespace ragstone::bench {

inline constexpr std::size_t kLinesOfSource = 1000;
inline constexpr std::size_t kRanks = 1000;
inline constexpr char kLineGroup[] = "line";
inline constexpr char kVectorKey[] = "e";

std::size_t rank_of(std::size_t row) noexcept;
/// A node that a search found, by the number of its row in the set.
std::uint32_t row_of(NodeId node) noexcept;

/// The ten nearest of a query of the set.
VectorSearch search_for(const VectorSet& set, std::size_t query);

/// Commits the set, doing what commits leave for later as it comes up, and declares the rank.
void fill(StoreEngine& engine, const VectorSet& set);

/// The set in files of plain numbers, for programs of other makes: base.f32, queries.f32 and truth.u32, the ten nearest
/// rows of each query by hnswlib's scan; set.json says how many.
void write_set(const VectorSet& set, const std::filesystem::path& folder);
VectorSet read_set(const std::filesystem::path& folder);
/// Without vectors.
VectorSet read_shape(const std::filesystem::path& folder);
std::vector<float> read_queries(const std::filesystem::path& folder);
std::vector<std::uint32_t> read_truth(const std::filesystem::path& folder);

}  // namespace ragstone::bench
