#include "rag/document_core.hpp"
#include <ragstone/async/run_scope.hpp>
#include <ragstone/base/error.hpp>

#include <exception>
#include <string>
#include <utility>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace ragstone {
namespace {

std::exception_ptr error_of(const VerifyReport& report) {
  const StoreFinding& first = report.findings.front();
  return std::make_exception_ptr(
      Error(Errc::corrupt_store, "scrub: " + std::to_string(report.findings.size()) + " problems, the first in " +
                                     first.object + ": " + first.problem +
                                     "; Document::verify() lists all; sync makes damaged columns anew; if more is "
                                     "damaged, recover the store, or restore a backup"));
}

Task<void> scrub_once(std::shared_ptr<DocumentCore> core, CallContext context) {
  RunScope run(context, EventKind::store_read, core->store->capabilities().name + " scrub");
  Task<VerifyReport> work = verify_and_heal(core, CallContext());
  const VerifyReport report = co_await in_run(run, std::move(work));
  if (report.ok()) {
    run.end();
  } else {
    run.fail(error_of(report));
  }
}

}  // namespace

Task<VerifyReport> verify_and_heal(std::shared_ptr<DocumentCore> core, CallContext context) {
  VerifyReport report = co_await core->store->verify(context);
  try {
    bool more = !report.ok();
    while (more) more = co_await core->store->maintain(Upkeep::due, context);
  } catch (const Error&) {
    // What cannot be healed is in the report.
  }
  co_return report;
}

Task<void> scrub(std::weak_ptr<DocumentCore> document, std::chrono::milliseconds interval, CallContext context) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
  for (;;) {
    timer.expires_after(interval);
    co_await timer.async_wait(boost::asio::use_awaitable);
    std::shared_ptr<DocumentCore> core = document.lock();
    if (!core) co_return;
    std::exception_ptr error;
    try {
      co_await scrub_once(std::move(core), context);
    } catch (...) {
      error = std::current_exception();
    }
    // The observers know of others; the next round may do better.
    if (error && is_cancelled(error)) co_return;
  }
}

}  // namespace ragstone
