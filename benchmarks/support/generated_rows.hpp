#pragma once

#include <ragstone/base/span.hpp>
#include <ragstone/rag/node_group.hpp>
#include <ragstone/store/commit.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// Rows for StoreEngine::commit() where making them by a Document would measure the Document.
namespace ragstone::bench {

inline constexpr char kGeneratedGroup[] = "Passage";
inline constexpr char kGeneratedKey[] = "fixed";
inline constexpr std::uint32_t kGeneratedDimension = 384;
inline constexpr std::size_t kRowsPerSource = 64;

/// The group that the rows belong to: the lines of a source.
NodeGroup generated_group();

/// 64 lines of a few words each, some common and some rare: the text of source number `source` of any number.
std::string generated_text(std::size_t source);

/// A source with the groups root and Passage over these spans, the latter with BM25.
SourceWrite source_with_terms(const std::string& id, const std::string& text, const std::vector<Span>& spans);

/// The source of generated_text() with BM25 and a vector for each line, all under the signatures that a Document with
/// generated_group() and fixed_embedder(384) gives them, so that it finds the group built.
SourceWrite source_with_vectors(std::size_t source);

/// A question that some lines answer out of any number of them: two of the rare words.
std::string selective_question(std::size_t number);

}  // namespace ragstone::bench
