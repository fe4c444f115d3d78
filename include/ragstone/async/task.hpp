#pragma once

#include <boost/asio/awaitable.hpp>

namespace ragstone {

/// A lazily started asynchronous operation: nothing runs before it is `co_await`ed or given to Runtime::run or
/// Runtime::spawn; dropped unstarted, it has no effect.
///
/// A Task runs on a serial executor: a one-thread context or a strand, never a raw thread pool. `T` is
/// default-constructible. It ends with a value, with Error, or, when cancelled, with Asio's `operation_aborted`
/// as a boost::system::system_error.
template <class T>
using Task = boost::asio::awaitable<T>;

}  // namespace ragstone
