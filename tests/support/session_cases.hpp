#pragma once

#include <ragstone/async/runtime.hpp>
#include <ragstone/model/sessions.hpp>

namespace ragstone::test {

/// What every SessionStore does, apart from keeping things over a restart.
void expect_sessions_work(Runtime& runtime, SessionStore& sessions);

}  // namespace ragstone::test
