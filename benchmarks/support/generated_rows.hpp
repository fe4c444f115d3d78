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

inline constexpr std::size_t kRareWords = 200'000;

/// 64 lines of a few words each, some common and two of `rare_words` rare ones: the text of source number `source` of
/// any number. Each rare word is in two lines of as many as there are rare words.
std::string generated_text(std::size_t source, std::size_t rare_words = kRareWords);

/// A source with the groups root and Passage over these spans, the latter with BM25.
SourceWrite source_with_terms(const std::string& id, const std::string& text, const std::vector<Span>& spans);

/// The source of generated_text() with BM25 and a vector for each line, all under the signatures that a Document with
/// generated_group() and fixed_embedder(384) gives them, so that it finds the group built.
SourceWrite source_with_vectors(std::size_t source, std::size_t rare_words = kRareWords);

/// A question that few lines answer: two of the rare words.
std::string selective_question(std::size_t number, std::size_t rare_words = kRareWords);

}  // namespace ragstone::bench
