#include "reader/markdown_title.hpp"
#include <ragstone/reader/reader.hpp>
#include <ragstone/text/encoding.hpp>

#include <algorithm>
#include <initializer_list>
#include <utility>
#include <vector>

namespace ragstone {
namespace {

bool has_extension(std::string_view path, const std::vector<std::string_view>& extensions) noexcept {
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; };
  return std::any_of(extensions.begin(), extensions.end(), [&](std::string_view extension) {
    return path.size() > extension.size() && path[path.size() - extension.size() - 1] != '/' &&
           std::equal(path.end() - static_cast<std::ptrdiff_t>(extension.size()), path.end(), extension.begin(), same);
  });
}

class TextReader : public Reader {
 public:
  TextReader() : TextReader("text/1", {".txt", ".text", ".log"}) {}

  const std::string& signature() const noexcept final { return signature_; }
  bool accepts(std::string_view path) const noexcept final { return has_extension(path, extensions_); }

 protected:
  TextReader(std::string signature, std::vector<std::string_view> extensions)
      : signature_(std::move(signature)), extensions_(std::move(extensions)) {}

  ReadText do_read(const RawFile& file, const StopToken&) const override {
    DecodedText decoded = decode_text(file.bytes);
    ReadText result;
    result.text = std::move(decoded.text);
    result.offsets = std::move(decoded.offsets);
    result.metadata.set("encoding", std::move(decoded.encoding));
    return result;
  }

 private:
  std::string signature_;
  std::vector<std::string_view> extensions_;
};

class MarkdownReader final : public TextReader {
 public:
  MarkdownReader() : TextReader("markdown/1", {".md", ".markdown", ".mkd"}) {}

 private:
  ReadText do_read(const RawFile& file, const StopToken& stop) const override {
    ReadText result = TextReader::do_read(file, stop);
    if (std::string title = markdown_title(result.text); !title.empty()) result.metadata.set("title", std::move(title));
    return result;
  }
};

}  // namespace

std::shared_ptr<const Reader> text_reader() { return std::make_shared<const TextReader>(); }

std::shared_ptr<const Reader> markdown_reader() { return std::make_shared<const MarkdownReader>(); }

}  // namespace ragstone
