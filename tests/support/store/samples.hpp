#pragma once

#include <ragstone/store/commit.hpp>
#include <ragstone/text/analyzer.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Rows for stores, made the way the rag layer makes them, only smaller.
namespace ragstone::test {

/// A source with its root group: one node over the whole text. Its content hash is that of the text.
SourceWrite sample_source(std::string id, std::string text, Metadata metadata = {});

/// Spans of the lines of a text, empty lines left out.
std::vector<Span> line_spans(std::string_view text);
/// Spans of what white space divides.
std::vector<Span> word_spans(std::string_view text);

/// A group of spans of a text; each node's parent is the first node of `parent` that contains its span.
GroupRows sample_group(std::string_view source, std::string_view text, std::string name, const GroupRows& parent,
                       const std::vector<Span>& spans, std::string signature = "spans/1");

/// The column kBm25Key by standard_analyzer(), for groups of spans.
SparseRows sample_terms(const GroupRows& group, std::string_view text, std::string signature = "standard");

/// A column of vectors, row by row.
DenseRows sample_vectors(std::string key, std::string signature, const std::vector<std::vector<float>>& rows,
                         std::uint32_t dimension);

/// The groups root and "line", the latter with BM25.
SourceWrite sample_lines(std::string id, std::string text, Metadata metadata = {});

}  // namespace ragstone::test
