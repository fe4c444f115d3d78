#include "store/sqlite/digest.hpp"

#include <utility>

#include <xxhash.h>

namespace ragstone::sqlite {

std::int64_t Digest::value() && { return digest_of(std::move(values_).take()); }

std::int64_t digest_of(std::string_view text) {
  return static_cast<std::int64_t>(XXH3_64bits(text.data(), text.size()));
}

}  // namespace ragstone::sqlite
