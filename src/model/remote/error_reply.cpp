#include "model/remote/error_reply.hpp"

#include "model/remote/json_reply.hpp"
#include <ragstone/base/utf8.hpp>

namespace ragstone::detail {
namespace {

// Longer than what is told of it, which is cut once no key can be in it.
constexpr std::size_t kLongest = 65'536;

std::string one_line(std::string_view text) {
  std::string line;
  for (std::size_t at = 0; at < text.size() && line.size() < kLongest;) {
    const auto decoded = utf8::decode(text, at);
    at += decoded.size;
    if (decoded.code_point == utf8::kInvalid) {
      utf8::append(line, utf8::kReplacement);
    } else if (decoded.code_point <= 0x20 || decoded.code_point == 0x7F) {
      if (!line.ends_with(' ')) line += ' ';
    } else {
      utf8::append(line, decoded.code_point);
    }
  }
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

std::string described(const dom::element& error) {
  if (const auto text = text_of(error)) return one_line(*text);
  if (const auto text = text_of(member(error, "message"))) return one_line(*text);
  return one_line(simdjson::minify(error));
}

}  // namespace

std::string error_text(const dom::element& reply) {
  std::optional<dom::element> error = member(reply, "error");
  if (!error || error->is_null()) {
    if (text_of(member(reply, "object")) != "error") return {};
    error = reply;
  }
  const std::string text = described(*error);
  return text.empty() ? "an error without a message" : text;
}

std::string error_text(std::string_view body) {
  dom::parser parser = reply_parser();
  dom::element reply;
  if (parser.parse(body.data(), body.size()).get(reply) != simdjson::SUCCESS) return one_line(body);
  if (const std::string text = error_text(reply); !text.empty()) return text;
  for (const char* name : {"message", "detail"})
    if (const auto found = member(reply, name)) return described(*found);
  return one_line(body);
}

std::string error_code(std::string_view body) {
  dom::parser parser = reply_parser();
  dom::element reply;
  if (parser.parse(body.data(), body.size()).get(reply) != simdjson::SUCCESS) return {};
  const auto error = member(reply, "error");
  return std::string(text_of(member(error ? *error : reply, "code")).value_or(""));
}

}  // namespace ragstone::detail
