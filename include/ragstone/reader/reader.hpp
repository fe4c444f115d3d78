#pragma once

#include <ragstone/base/metadata.hpp>
#include <ragstone/base/stop.hpp>
#include <ragstone/text/offset_map.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

namespace ragstone {

/// A file's bytes.
class RawFile {
 public:
  RawFile() = default;

  std::string path;  ///< As the dataset names it; only for messages and for the choice of a reader.
  std::string bytes;
};

/// What a reader made of a file.
class ReadText {
 public:
  ReadText() = default;

  std::string text;   ///< Valid UTF-8.
  OffsetMap offsets;  ///< Offsets in `text` to offsets in the file.
  Metadata metadata;  ///< What the file says of itself: title, encoding.
};

/// Turns one kind of file into text. Synchronous and thread-safe: runs on pool threads, several at once.
class Reader {
 public:
  virtual ~Reader() = default;

  /// "name/version/parameters": equal signatures give equal texts.
  virtual const std::string& signature() const noexcept = 0;

  /// Whether this reader is for files of that name.
  virtual bool accepts(std::string_view path) const noexcept = 0;

  /// Errors: Errc::parse_error for bytes that are not what the reader reads, with the position; Errc::limit_exceeded;
  /// Errc::invalid_argument when do_read() gives a text that is not UTF-8. Messages begin with the file's path.
  ReadText read(const RawFile& file, const StopToken& stop) const;

 private:
  virtual ReadText do_read(const RawFile& file, const StopToken& stop) const = 0;
};

/// Plain text in any encoding that decode_text() detects; bytes outside it are refused. Sets "encoding". Accepts .txt,
/// .text and .log, in any case.
std::shared_ptr<const Reader> text_reader();

/// Markdown kept as it is written, so that spans are positions in the file. Sets "encoding", and "title" to the title
/// of a YAML front matter or else to the first heading's plain text. Accepts .md, .markdown and .mkd, in any case.
std::shared_ptr<const Reader> markdown_reader();

static_assert(!std::is_aggregate_v<RawFile> && !std::is_aggregate_v<ReadText>);

}  // namespace ragstone
