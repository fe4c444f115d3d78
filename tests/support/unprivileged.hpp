#pragma once

namespace ragstone::test {

/// Root is bound by no file permission, so a test of permissions begins with
/// `if (rerun_unprivileged()) return;`: under root it runs once more in a child process with another user id, whose
/// failure is this test's failure, and the rest of the body runs only there. Without root it is just false.
bool rerun_unprivileged();

}  // namespace ragstone::test
