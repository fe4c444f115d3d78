#include "model/remote/think_block.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace ragstone::detail {
namespace {

constexpr std::string_view kBegin = "<think>";
constexpr std::string_view kEnd = "</think>";
constexpr std::string_view kSpace = " \t\r\n";

/// How many bytes at the end of a text may begin the mark.
std::size_t begun(std::string_view text, std::string_view mark) {
  std::size_t count = std::min(text.size(), mark.size() - 1);
  while (!mark.starts_with(text.substr(text.size() - count))) --count;
  return count;
}

}  // namespace

std::string_view ThinkBlock::begin_text(std::string text) {
  place_ = Place::text;
  text_ = std::move(text);
  held_.clear();
  return text_;
}

std::string_view ThinkBlock::hold(std::string& reasoning) {
  if (place_ == Place::before) {
    const std::size_t begin = std::min(held_.find_first_not_of(kSpace), held_.size());
    const std::string_view rest = std::string_view(held_).substr(begin);
    if (rest.size() < kBegin.size() && kBegin.starts_with(rest)) return {};
    if (!rest.starts_with(kBegin)) return begin_text(held_);
    held_.erase(0, begin + kBegin.size());
    place_ = Place::inside;
  }
  if (place_ == Place::inside) {
    const std::size_t end = held_.find(kEnd);
    const std::size_t thought = end == std::string::npos ? held_.size() - begun(held_, kEnd) : end;
    reasoning.append(held_, 0, thought);
    held_.erase(0, thought);
    if (end == std::string::npos) return {};
    held_.erase(0, kEnd.size());
    place_ = Place::behind;
  }
  const std::size_t begin = held_.find_first_not_of(kSpace);
  return begin == std::string::npos ? std::string_view() : begin_text(held_.substr(begin));
}

std::string_view ThinkBlock::read(std::string_view piece, std::string& reasoning) {
  if (place_ == Place::text) return piece;
  held_ += piece;
  if (place_ == Place::before && !reasoning.empty()) return begin_text(held_);
  return hold(reasoning);
}

std::string_view ThinkBlock::finish(bool cut_off, std::string& reasoning) {
  const Place place = std::exchange(place_, Place::text);
  if (place == Place::before) return begin_text(held_);
  if (place != Place::inside) return {};
  reasoning += std::exchange(held_, {});
  if (cut_off) return {};
  return begin_text(std::string(kBegin) + std::exchange(reasoning, {}));
}

}  // namespace ragstone::detail
