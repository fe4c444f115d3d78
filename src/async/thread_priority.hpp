#pragma once

namespace ragstone::detail {

/// Lets the calling thread give way to others of the process (Linux; elsewhere nothing happens): raises its nice value
/// to `niceness` where that is lower, and lets threads that wake up have its core at once. Never fails: a thread that
/// may not be changed stays as it is.
void lower_priority(int niceness) noexcept;

}  // namespace ragstone::detail
