#pragma once

namespace ragstone::test {

/// The key with which tests ask servers. It may appear nowhere but on the wire: error_of() and KeyWatch look for it in
/// what Ragstone tells, and ctest fails a test that prints it.
inline constexpr const char* kCanary = "canary-key-93f1";

}  // namespace ragstone::test
