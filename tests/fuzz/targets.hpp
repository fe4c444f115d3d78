#pragma once

#include <string>
#include <string_view>

/// What libFuzzer and the seeded runs feed with bytes. Each throws std::logic_error for a broken promise.
namespace ragstone::test {

/// Analysers on any bytes: short valid terms, spans in the text, ascending positions; and highlights.
void fuzz_analyzers(std::string_view bytes);

/// Questions of any bytes over a small store, by several analysers, with boosts, with feedback, fused with a trie: hits
/// are the texts that have a term of the question; a trie and a linear index find the same in every mode. The first
/// byte chooses the analyser, and with its third bit to look for function words.
void fuzz_query(std::string_view bytes);

/// Filter::parse(): an error within the text, or a filter whose spelling means the same.
void fuzz_filters(std::string_view bytes);

/// Readers and chunkers on the bytes of a file: Errc::parse_error, or a text whose chunks keep all rules and whose
/// spans lie in the file. The first two bytes choose the sizes.
void fuzz_reading(std::string_view bytes);

/// Segments: an image of any bytes, used in every way. If the first byte is even, the image gets right checksums first.
void fuzz_segment(std::string_view bytes);
/// A whole image for fuzz_segment(), after its first byte: a few vectors, alone or with a graph, with bits or with
/// nibbles, or postings.
std::string fuzz_segment_sample(unsigned seed);

/// Event streams: the same events however the bytes are cut. The first byte chooses the cut.
void fuzz_sse(std::string_view bytes);

/// Every decoder of a model server's replies: a result that keeps its promises, or an error that is one of those.
void fuzz_replies(std::string_view bytes);

/// A reply schema, a line end, and a reply: a schema that is refused or checks the reply in bounded time, `not` and
/// `allOf` as logic has them.
void fuzz_schemas(std::string_view bytes);

/// Retry-After and retry-after-ms, with a bar between them.
void fuzz_retry(std::string_view bytes);

/// Saved indexes: an image of any bytes, loaded by an index of words and asked in every mode. The first byte as above;
/// its second bit chooses a linear_index() instead of a trie_index().
void fuzz_words(std::string_view bytes);
/// What fuzz_words() can load: a trie, or with the second bit of the seed a linear index.
std::string fuzz_words_sample(unsigned seed);

}  // namespace ragstone::test
