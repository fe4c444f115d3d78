#include <ragstone/base/error.hpp>
#include <ragstone/reader/chunker.hpp>
#include <ragstone/text/utf8.hpp>

#include <utility>

namespace ragstone {
namespace {

class FunctionChunker final : public Chunker {
 public:
  FunctionChunker(std::string signature, ChunkFunction function)
      : signature_(std::move(signature)), function_(std::move(function)) {}

  const std::string& signature() const noexcept override { return signature_; }

 private:
  std::vector<Chunk> do_chunk(const ChunkInput& input, const StopToken& stop) const override {
    return function_(input, stop);
  }

  std::string signature_;
  ChunkFunction function_;
};

/// Null if the chunk is as it must be.
const char* fault_of(const Chunk& chunk, std::string_view text) noexcept {
  if (chunk.text) return utf8::is_valid(*chunk.text) ? nullptr : "has a text that is not UTF-8";
  if (chunk.span.begin > chunk.span.end || chunk.span.end > text.size()) return "lies outside the text";
  if (chunk.span.empty()) return "is empty";
  if (!utf8::is_boundary(text, chunk.span.begin) || !utf8::is_boundary(text, chunk.span.end))
    return "begins or ends inside a code point";
  return nullptr;
}

}  // namespace

std::vector<Chunk> Chunker::chunk(const ChunkInput& input, const StopToken& stop) const {
  throw_if_stopped(stop);
  std::vector<Chunk> chunks = do_chunk(input, stop);
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    const char* const fault = fault_of(chunks[i], input.text);
    if (!fault) continue;
    const std::string name = signature().empty() ? "chunker" : "chunker " + signature();
    throw Error(Errc::invalid_argument, "chunk \"" + std::string(input.source) + "\": piece " + std::to_string(i) +
                                            " of the " + name + " " + fault + " (bytes " +
                                            std::to_string(chunks[i].span.begin) + " to " +
                                            std::to_string(chunks[i].span.end) + ")");
  }
  return chunks;
}

std::shared_ptr<const Chunker> function_chunker(std::string signature, ChunkFunction function) {
  if (!function) throw Error(Errc::invalid_argument, "function_chunker: no function was given");
  return std::make_shared<const FunctionChunker>(std::move(signature), std::move(function));
}

}  // namespace ragstone
