#include "store/sqlite/digest.hpp"

#include <utility>

#include <xxhash.h>

namespace ragstone::sqlite {

std::int64_t Digest::value() && { return digest_of(std::move(values_).take()); }

std::int64_t digest_of(std::string_view text) {
  return static_cast<std::int64_t>(XXH3_64bits(text.data(), text.size()));
}

std::int64_t digest_of_change(std::int64_t generation, std::string_view group, std::string_view upserts,
                              std::string_view removed) {
  Digest digest;
  digest.integer(generation);
  digest.text(group);
  digest.text(upserts);
  digest.text(removed);
  return std::move(digest).value();
}

}  // namespace ragstone::sqlite
