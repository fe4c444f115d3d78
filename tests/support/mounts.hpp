#pragma once

#include <string>

namespace ragstone::test {

enum class Mounts {
  allowed,    ///< In this process.
  elsewhere,  ///< The test has run in a child process that may mount; its failure is this test's.
  refused,    ///< Neither here nor in a namespace of the user's own.
};

/// A test that mounts begins with it. Where only root may mount, the test runs once more in a user namespace of its own
/// (`unshare -Urm`), if the system has them; if not, `why_not` says so.
Mounts find_mounts(std::string& why_not);

}  // namespace ragstone::test
