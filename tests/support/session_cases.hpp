#pragma once

#include <ragstone/async/runtime.hpp>
#include <ragstone/model/sessions.hpp>

#include <memory>

namespace ragstone::test {

/// What every SessionStore does, apart from keeping things over a restart.
void expect_sessions_work(Runtime& runtime, SessionStore& sessions);

/// A summary that is made while its session is cleared brings nothing back, and takes no later turn.
void expect_clear_beats_summaries(Runtime& runtime, std::shared_ptr<SessionStore> sessions);

}  // namespace ragstone::test
