#include "rag/nonce.hpp"

#include <ragstone/base/error.hpp>

#include <openssl/rand.h>

namespace ragstone {

std::string fresh_nonce() {
  static constexpr char kDigits[] = "0123456789abcdef";
  unsigned char bytes[8];
  if (RAND_bytes(bytes, sizeof bytes) != 1) throw Error(Errc::internal, "prompt: the system gives no random bytes");
  std::string nonce;
  for (const unsigned char byte : bytes) {
    nonce += kDigits[byte >> 4];
    nonce += kDigits[byte & 15];
  }
  return nonce;
}

}  // namespace ragstone
