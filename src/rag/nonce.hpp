#pragma once

#include <string>

namespace ragstone {

/// 16 hexadecimal digits that nobody can foresee. Errors: Errc::internal if the system gives no random bytes.
std::string fresh_nonce();

}  // namespace ragstone
