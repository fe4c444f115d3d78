#pragma once

#include <ragstone/base/span.hpp>
#include <ragstone/store/commit.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// Rows for StoreEngine::commit() where making them by a Document would measure the Document.
namespace ragstone::bench {

inline constexpr char kGeneratedGroup[] = "MediumChunk";
inline constexpr char kGeneratedKey[] = "fixed";
inline constexpr std::uint32_t kGeneratedDimension = 384;
inline constexpr std::size_t kRowsPerSource = 64;

/// A source with the groups root and MediumChunk over these spans, the latter with BM25.
SourceWrite source_with_terms(const std::string& id, const std::string& text, const std::vector<Span>& spans);

/// Source number `source` of any number: 64 nodes of MediumChunk of a few words, some common and some rare, with BM25
/// and a vector under kGeneratedKey, all under the signatures that a Document with fixed_embedder(384) gives them.
SourceWrite source_with_vectors(std::size_t source);

/// A question that some nodes answer out of any number of them: two of the rare words.
std::string selective_question(std::size_t number);

}  // namespace ragstone::bench
