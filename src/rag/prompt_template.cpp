#include <ragstone/base/error.hpp>
#include <ragstone/rag/prompt_template.hpp>

#include <algorithm>

namespace ragstone {
namespace {

constexpr std::size_t kLongestName = 64;

[[noreturn]] void fail(std::size_t at, const std::string& what) {
  throw Error(Errc::parse_error, "prompt template: " + what + " at byte " + std::to_string(at) +
                                     "; holes are written {name}, braces {{ and }}");
}

bool is_name(std::string_view text) {
  if (text.empty() || text.size() > kLongestName) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

PromptTemplate::PromptTemplate(std::string_view text) {
  Part part;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c != '{' && c != '}') {
      part.text += c;
      continue;
    }
    if (at + 1 < text.size() && text[at + 1] == c) {
      part.text += c;
      ++at;
      continue;
    }
    if (c == '}') fail(at, "a '}' without '{'");
    const std::size_t end = text.find('}', at);
    if (end == text.npos) fail(at, "a '{' without '}'");
    const std::string_view name = text.substr(at + 1, end - at - 1);
    if (!is_name(name)) fail(at, "a hole without a proper name");
    part.name = name;
    if (!uses(name)) names_.emplace_back(name);
    parts_.push_back(std::move(part));
    part = Part();
    at = end;
  }
  if (!part.text.empty()) parts_.push_back(std::move(part));
}

bool PromptTemplate::uses(std::string_view name) const noexcept {
  return std::find(names_.begin(), names_.end(), name) != names_.end();
}

std::string PromptTemplate::render(const Values& values) const {
  std::string out;
  for (const Part& part : parts_) {
    out += part.text;
    if (part.name.empty()) continue;
    const auto value = values.find(part.name);
    if (value == values.end())
      throw Error(Errc::not_found, "prompt template: no value for {" + part.name + "}; add it to the variables");
    out += value->second;
  }
  return out;
}

}  // namespace ragstone
