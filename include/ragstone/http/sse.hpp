#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>

namespace ragstone {

class SseLimits {
 public:
  SseLimits() = default;

  std::size_t max_line_bytes = 4 << 20;
  std::size_t max_event_bytes = 8 << 20;  ///< Of an event's data.
};

/// An event of a stream. Views into its parser, valid until that is used again.
class SseEvent {
 public:
  SseEvent() = default;

  std::string_view type;  ///< Empty: "message".
  std::string_view data;
};

/// Server-sent events (WHATWG HTML, section 9.2.6) from bytes in pieces of any size: same events whatever the pieces.
/// Lines end with LF, CR or CRLF; a space after the colon is optional; comments, ids and retry times are skipped; data
/// lines are joined by LF; an event that the stream's end cuts off is dropped. Bytes are not decoded.
///
/// No I/O. Once its buffers have grown it allocates nothing. Not thread-safe.
class SseParser {
 public:
  explicit SseParser(SseLimits limits = {}) : limits_(limits) {}

  /// Bytes that follow; to be called after next() returned false. Errors: Errc::limit_exceeded, for good.
  void push(std::string_view bytes);
  /// The next event that is complete; false if more bytes are needed. Errors: Errc::limit_exceeded, for good.
  bool next(SseEvent& event);

 private:
  bool take_line(std::string_view& line);
  void take_field(std::string_view line);

  SseLimits limits_;
  std::string bytes_;         ///< What was pushed and not yet taken, from at_ on.
  std::size_t at_ = 0;        ///< Where the next line begins.
  std::size_t searched_ = 0;  ///< No line ends before here.
  bool after_cr_ = false;     ///< A LF that comes next belongs to the line before.
  bool at_start_ = true;      ///< A byte order mark may come.
  std::string type_;
  std::string data_;
  bool has_data_ = false;
  bool delivered_ = false;  ///< type_ and data_ are those of the event that next() gave last.
};

static_assert(!std::is_aggregate_v<SseLimits> && !std::is_aggregate_v<SseEvent>);

}  // namespace ragstone
