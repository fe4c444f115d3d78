#pragma once

#include <ragstone/async/call_context.hpp>
#include <ragstone/async/event.hpp>

namespace ragstone::detail {

/// Tells an event to all observers of a context that want it. One that throws keeps it from no other; the first error
/// is thrown when all have been told.
void notify_all(const CallContext& context, const Event& event);

}  // namespace ragstone::detail
