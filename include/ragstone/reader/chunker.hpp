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

  /// Pieces in order; spans may overlap and need not cover the text.
  /// Errors: Errc::invalid_argument when do_chunk() returns a span outside the text, inside a code point, or empty.
  std::vector<Chunk> chunk(const ChunkInput& input, const StopToken& stop) const;

 private:
  virtual std::vector<Chunk> do_chunk(const ChunkInput& input, const StopToken& stop) const = 0;
};

/// Options of sentence_chunker().
class SentenceChunkerOptions {
 public:
  SentenceChunkerOptions() = default;

  std::size_t max_tokens = 1024;  ///< No chunk counts more tokens. At least 1.
  std::size_t overlap_tokens =
      0;  ///< At most this many tokens, in whole sentences, of the chunk before. Below max_tokens.
  std::shared_ptr<const TokenCounter> counter;  ///< Null: estimated_token_counter().
};

/// Packs whole sentences into chunks. Cuts fall where the text divides most clearly (heading, paragraph, line,
/// sentence, clause, word), and among equals at a place that the text around it decides, so that an edit moves only the
/// cuts near it. Errors: Errc::invalid_argument for options out of range.
std::shared_ptr<const Chunker> sentence_chunker(SentenceChunkerOptions options);

/// One chunk per paragraph (text between blank lines), white space at its ends left out.
std::shared_ptr<const Chunker> paragraph_chunker();

/// One chunk per line that is not blank.
std::shared_ptr<const Chunker> line_chunker();

/// A user's own function as a chunker.
using ChunkFunction = std::function<std::vector<Chunk>(const ChunkInput& input, const StopToken& stop)>;
std::shared_ptr<const Chunker> function_chunker(std::string signature, ChunkFunction function);

static_assert(!std::is_aggregate_v<Chunk> && !std::is_aggregate_v<ChunkInput> &&
              !std::is_aggregate_v<SentenceChunkerOptions>);

}  // namespace ragstone
