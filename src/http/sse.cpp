#include <ragstone/base/error.hpp>
#include <ragstone/http/sse.hpp>

#include <algorithm>

namespace ragstone {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

void SseParser::push(std::string_view bytes) {
  bytes_.erase(0, at_);
  searched_ -= at_;
  at_ = 0;
  bytes_ += bytes;
}

bool SseParser::take_line(std::string_view& line) {
  if (at_start_) {
    const std::string_view head = std::string_view(bytes_).substr(0, kByteOrderMark.size());
    if (kByteOrderMark.starts_with(head) && head.size() < kByteOrderMark.size()) return false;
    if (head == kByteOrderMark) at_ = searched_ = kByteOrderMark.size();
    at_start_ = false;
  }
  if (after_cr_) {
    if (at_ == bytes_.size()) return false;
    if (bytes_[at_] == '\n') searched_ = ++at_;
    after_cr_ = false;
  }
  const std::string_view rest = std::string_view(bytes_).substr(searched_);
  // Not std::min of both: where no '\r' is used, each line would search all that follows it for one.
  const std::size_t feed = rest.find('\n');
  const std::size_t found = std::min(feed, rest.substr(0, feed).find('\r'));
  const std::size_t end = found == rest.npos ? bytes_.npos : searched_ + found;
  const std::size_t line_end = end == bytes_.npos ? bytes_.size() : end;
  if (line_end - at_ > limits_.max_line_bytes)
    throw Error(Errc::limit_exceeded,
                "event stream: a line is longer than " + std::to_string(limits_.max_line_bytes) + " bytes");
  if (end == bytes_.npos) {
    searched_ = bytes_.size();
    return false;
  }
  line = std::string_view(bytes_).substr(at_, end - at_);
  after_cr_ = bytes_[end] == '\r';
  at_ = searched_ = end + 1;
  return true;
}

void SseParser::take_field(std::string_view line) {
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  std::string_view value = colon == line.npos ? std::string_view() : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "event") {
    type_ = value;
  } else if (name == "data") {
    if (data_.size() + value.size() + 1 > limits_.max_event_bytes)
      throw Error(Errc::limit_exceeded,
                  "event stream: an event is longer than " + std::to_string(limits_.max_event_bytes) + " bytes");
    if (has_data_) data_ += '\n';
    data_ += value;
    has_data_ = true;
  }
}

bool SseParser::next(SseEvent& event) {
  if (delivered_) {
    type_.clear();
    data_.clear();
    has_data_ = delivered_ = false;
  }
  std::string_view line;
  while (take_line(line)) {
    if (!line.empty()) {
      take_field(line);
    } else if (has_data_) {
      event.type = type_;
      event.data = data_;
      delivered_ = true;
      return true;
    } else {
      type_.clear();
    }
  }
  return false;
}

}  // namespace ragstone
