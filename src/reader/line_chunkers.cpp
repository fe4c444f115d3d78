#include "reader/white_space.hpp"
#include <ragstone/reader/chunker.hpp>

#include <algorithm>
#include <utility>

namespace ragstone {
namespace {

/// Joins the lines from one that is not blank up to the next blank one, or gives each line on its own.
class LineChunker final : public Chunker {
 public:
  LineChunker(std::string signature, bool joins_lines) : signature_(std::move(signature)), joins_lines_(joins_lines) {}

  const std::string& signature() const noexcept override { return signature_; }

 private:
  std::vector<Chunk> do_chunk(const ChunkInput& input, const StopToken& stop) const override {
    const std::string_view text = input.text;
    std::vector<Chunk> chunks;
    bool open = false;  // the last chunk may go on
    for (std::size_t begin = 0; begin < text.size();) {
      if (chunks.size() % 1024 == 0) throw_if_stopped(stop);
      std::size_t end = begin;
      while (end < text.size() && !detail::is_line_end(text[end])) ++end;
      const Span line = detail::trimmed(text, {begin, end});
      if (!line.empty() && open)
        chunks.back().span.end = line.end;
      else if (!line.empty())
        chunks.emplace_back(line);
      open = joins_lines_ && !line.empty();
      begin = end + (text.substr(end).starts_with("\r\n") ? 2 : 1);
    }
    return chunks;
  }

  std::string signature_;
  bool joins_lines_;
};

}  // namespace

std::shared_ptr<const Chunker> paragraph_chunker() { return std::make_shared<const LineChunker>("paragraph/1", true); }

std::shared_ptr<const Chunker> line_chunker() { return std::make_shared<const LineChunker>("line/1", false); }

}  // namespace ragstone
