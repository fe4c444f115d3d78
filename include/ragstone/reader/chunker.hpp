#pragma once

#include <ragstone/base/metadata.hpp>
#include <ragstone/base/span.hpp>
#include <ragstone/base/stop.hpp>
#include <ragstone/text/token_counter.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace ragstone {

/// One piece of a text.
class Chunk {
 public:
  Chunk() = default;
  explicit Chunk(Span chunk_span) : span(chunk_span) {}

  Span span;                        ///< In the text that was given; not empty unless `text` is set.
  std::optional<std::string> text;  ///< Set only for a piece that is no span (a summary, say).
  Metadata metadata;
};

/// What is to be cut: the text of one node of the parent group.
class ChunkInput {
 public:
  ChunkInput() = default;

  std::string_view text;               ///< Valid UTF-8, outlives the call.
  std::string_view source;             ///< The source's id.
  const Metadata* metadata = nullptr;  ///< Of the parent node over its source; may be null.
};

/// Cuts a text into pieces: the transform of a node group. Synchronous and thread-safe: runs on pool threads.
class Chunker {
 public:
  virtual ~Chunker() = default;

  /// "name/version/parameters": equal signatures cut equally. May be empty for a chunker that is used with stores
  /// that do not outlive the process.
  virtual const std::string& signature() const noexcept = 0;

  /// Pieces in order; spans may overlap and need not cover the text. Polls `stop`.
  /// Errors: Errc::invalid_argument when do_chunk() returns a span that is empty, outside the text or not between code
  /// points, or a text that is not UTF-8.
  std::vector<Chunk> chunk(const ChunkInput& input, const StopToken& stop) const;

 private:
  virtual std::vector<Chunk> do_chunk(const ChunkInput& input, const StopToken& stop) const = 0;
};

/// Options of sentence_chunker().
class SentenceChunkerOptions {
 public:
  SentenceChunkerOptions() = default;

  /// No chunk counts more tokens, save a single character that does so alone. At least 1.
  std::size_t max_tokens = 1024;
  /// At most this many tokens at the end of the chunk before are repeated, in whole sentences (parts of a sentence
  /// where one had to be cut). Below max_tokens.
  std::size_t overlap_tokens = 0;
  std::shared_ptr<const TokenCounter> counter;  ///< Null: estimated_token_counter().
};

/// Packs whole sentences into chunks. A chunk ends where the text divides most clearly in the latter half of the room
/// it has: before a Markdown heading, at a blank line, a line end, a sentence end; in a sentence that is too long, at a
/// clause, a word, a character as readers see it. Headings in fenced code are none, and code divides less readily than
/// prose. Among equally clear places one is taken that the bytes around it decide, so that an edit moves only the ends
/// near it. All that is not white space is in a chunk; white space at the ends of a chunk is left out, save the
/// indentation of a first line. Linear time; memory beyond the result does not grow with the text.
/// Errors: Errc::invalid_argument for options out of range.
std::shared_ptr<const Chunker> sentence_chunker(SentenceChunkerOptions options);

/// One chunk per paragraph (lines between blank ones), without white space at its end and with its first line's
/// indentation.
std::shared_ptr<const Chunker> paragraph_chunker();

/// One chunk per line that is not blank, without white space at its end and with its indentation.
std::shared_ptr<const Chunker> line_chunker();

using ChunkFunction = std::function<std::vector<Chunk>(const ChunkInput& input, const StopToken& stop)>;

/// A user's own function as a chunker; it is called from several threads at once.
/// Errors: Errc::invalid_argument for an empty function.
std::shared_ptr<const Chunker> function_chunker(std::string signature, ChunkFunction function);

static_assert(!std::is_aggregate_v<Chunk> && !std::is_aggregate_v<ChunkInput> &&
              !std::is_aggregate_v<SentenceChunkerOptions>);

}  // namespace ragstone
