#include <ragstone/base/error.hpp>
#include <ragstone/base/ids.hpp>

#include <algorithm>
#include <memory>

#include <openssl/evp.h>

namespace ragstone {
namespace {

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1)
      throw Error(Errc::internal, "sha256: OpenSSL offers no SHA-256");
  }

  void update(const void* data, std::size_t size) {
    if (EVP_DigestUpdate(context_.get(), data, size) != 1) throw Error(Errc::internal, "sha256: update failed");
  }

  Hash128 finish() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    if (EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) != 1)
      throw Error(Errc::internal, "sha256: final failed");
    Hash128 hash;
    std::copy_n(digest.begin(), hash.bytes.size(), hash.bytes.begin());
    return hash;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Hash128 hash128(std::string_view bytes) {
  Sha256 sha;
  sha.update(bytes.data(), bytes.size());
  return sha.finish();
}

Hash128 hash128(std::span<const std::string_view> parts) {
  Sha256 sha;
  for (std::string_view part : parts) {
    std::array<unsigned char, 8> size{};
    for (std::size_t i = 0; i < size.size(); ++i) size[i] = static_cast<unsigned char>(part.size() >> (8 * i));
    sha.update(size.data(), size.size());
    sha.update(part.data(), part.size());
  }
  return sha.finish();
}

Uid make_uid(std::string_view source_id, std::string_view group, std::string_view signature, const Hash128& content,
             std::uint32_t occurrence) {
  const std::string count = std::to_string(occurrence);
  const std::string_view hash(reinterpret_cast<const char*>(content.bytes.data()), content.bytes.size());
  const std::array<std::string_view, 5> parts{source_id, group, signature, hash, count};
  return hash128(parts);
}

std::string to_string(const Hash128& hash) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(hash.bytes.size() * 2);
  for (std::uint8_t byte : hash.bytes) {
    text.push_back(digits[byte >> 4]);
    text.push_back(digits[byte & 15]);
  }
  return text;
}

Hash128 parse_hash128(std::string_view hex) {
  Hash128 hash;
  bool valid = hex.size() == hash.bytes.size() * 2;
  for (std::size_t i = 0; valid && i < hash.bytes.size(); ++i) {
    const int high = hex_digit(hex[2 * i]);
    const int low = hex_digit(hex[2 * i + 1]);
    valid = high >= 0 && low >= 0;
    if (valid) hash.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  if (!valid) throw Error(Errc::invalid_argument, "parse_hash128: expected 32 hexadecimal digits");
  return hash;
}

}  // namespace ragstone
