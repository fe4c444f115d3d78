#include "model/remote/reply_pattern.hpp"

#include <ragstone/base/error.hpp>

#include <re2/re2.h>

namespace ragstone::detail {

PatternCheck::PatternCheck(const std::string& pattern) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  pattern_ = std::make_unique<re2::RE2>(pattern, options);
  if (!pattern_->ok())
    throw Error(Errc::invalid_argument,
                "chat: the reply pattern is no regular expression of RE2: " + pattern_->error());
}

PatternCheck::~PatternCheck() = default;

void PatternCheck::check(std::string_view reply) const {
  if (!re2::RE2::FullMatch(re2::StringPiece(reply.data(), reply.size()), *pattern_))
    throw Error(Errc::rejected, "the reply does not match the pattern that was asked for");
}

}  // namespace ragstone::detail
