#pragma once

#include <stop_token>

namespace ragstone {

/// What synchronous work polls to learn that nobody wants its result any more. A default-made token never stops.
using StopToken = std::stop_token;

/// Throws the cancellation error (Asio's `operation_aborted`) once a stop was requested.
void throw_if_stopped(const StopToken& stop);

}  // namespace ragstone
