#include "reader/packer.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/reader/chunker.hpp>

#include <string>
#include <utility>

namespace ragstone {
namespace {

class SentenceChunker final : public Chunker {
 public:
  explicit SentenceChunker(SentenceChunkerOptions options)
      : options_(std::move(options)),
        signature_("sentence/1/max_tokens=" + std::to_string(options_.max_tokens) + ",overlap_tokens=" +
                   std::to_string(options_.overlap_tokens) + ",counter=" + options_.counter->signature()) {}

  const std::string& signature() const noexcept override { return signature_; }

 private:
  std::vector<Chunk> do_chunk(const ChunkInput& input, const StopToken& stop) const override {
    std::vector<Chunk> chunks;
    detail::Packer packer(input.text, *options_.counter, options_.max_tokens, options_.overlap_tokens);
    while (const auto span = packer.next()) {
      throw_if_stopped(stop);
      chunks.emplace_back(*span);
    }
    return chunks;
  }

  SentenceChunkerOptions options_;
  std::string signature_;
};

}  // namespace

std::shared_ptr<const Chunker> sentence_chunker(SentenceChunkerOptions options) {
  if (options.max_tokens == 0) throw Error(Errc::invalid_argument, "sentence_chunker: max_tokens is 0");
  if (options.overlap_tokens >= options.max_tokens)
    throw Error(Errc::invalid_argument, "sentence_chunker: overlap_tokens (" + std::to_string(options.overlap_tokens) +
                                            ") must be below max_tokens (" + std::to_string(options.max_tokens) + ")");
  if (!options.counter) options.counter = estimated_token_counter();
  return std::make_shared<const SentenceChunker>(std::move(options));
}

}  // namespace ragstone
