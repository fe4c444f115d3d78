#pragma once

#include <ragstone/async/call_context.hpp>
#include <ragstone/async/event.hpp>
#include <ragstone/async/offload.hpp>
#include <ragstone/async/pool.hpp>
#include <ragstone/base/error.hpp>
#include <ragstone/base/stop.hpp>
#include <ragstone/model/model_server.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>

namespace ragstone::detail {

class ModelServerCore {
 public:
  ModelServerCore(Runtime& runtime, ModelServerOptions options);

  const ProviderProfile& profile() const noexcept { return options_.profile; }
  const RetryOptions& retry() const noexcept { return options_.retry; }
  const HttpClient& http() const noexcept { return http_; }
  const RateGate& gate() const noexcept { return gate_; }

  /// A POST of JSON, without the key, which ApiCall::begin() adds. `base` replaces the server's base URL unless it is
  /// empty.
  HttpRequest request(const std::string& path, std::string json, const std::string& base = {}) const;
  Secret key() const { return options_.key.get(); }
  std::chrono::milliseconds first_token_timeout() const noexcept { return options_.first_token_timeout; }

  /// Carries out work that handles so many bytes: here, or on the pool if that would hold up the caller's executor.
  template <class T>
  Task<T> carry_out(std::size_t bytes, Work<T> work, CallContext context) const {
    if (bytes >= kLargeBytes) co_return co_await offload(pool_, context.lane(), std::move(work), context);
    co_return work(StopToken());
  }
  /// From so many bytes on JSON is written and read on the pool: well below a millisecond's worth.
  static constexpr std::size_t kLargeBytes = 128 << 10;

  /// Throws the error of a reply that is none: what the server says, without the key, should it repeat that.
  Task<void> refuse(const std::string& model, const HttpRequest& request, int status, const HttpHeaders& headers,
                    std::string body, CallContext context) const;

  /// What a reader of a reply threw, with the names of the server and the model, and without the key.
  std::exception_ptr told(const std::string& model, const HttpRequest& request, const std::exception_ptr& error) const;

  /// ChatModel::identity() of a model there: all that decides on its replies, besides the request.
  std::string chat_identity(const std::string& model) const;
  /// What observers are told of the server: provider, server_address, server_port.
  void describe(Metadata& attributes) const;

  // RetryBudget's, for calls on all threads.
  std::optional<std::chrono::milliseconds> refusal();
  std::optional<std::chrono::milliseconds> begin_call();
  bool begin_retry();
  void attempt_succeeded();
  void attempt_failed();
  void attempt_abandoned();
  double random();

 private:
  /// `text`: what the server says.
  Error error_of(const std::string& model, const HttpRequest& request, int status, const HttpHeaders& headers,
                 std::string text) const;
  /// A text of the server without what identifies the caller, should it repeat that.
  std::string redacted(std::string text, const HttpRequest& request) const;

  ModelServerOptions options_;
  Pool pool_;
  std::string host_;
  std::uint16_t port_ = 0;
  HttpClient http_;
  RateGate gate_;
  std::mutex mutex_;
  RetryBudget budget_;
  std::minstd_rand random_;
};

/// The attempts of one call: each waits for its turn, and after a failure that may pass it waits and goes on.
///
///     HttpRequest http = core->request(...);
///     ApiCall call(core, EventKind::embed, model, priority, tokens, context);
///     while (true) {
///       co_await call.begin(http);
///       std::exception_ptr error;
///       try { ...; call.saw(status, headers); ...; call.succeeded(); co_return reply; } catch (...) { error = ...; }
///       co_await call.failed(error);
///     }
class ApiCall {
 public:
  ApiCall(std::shared_ptr<ModelServerCore> core, EventKind kind, std::string model, CallPriority priority,
          std::uint64_t tokens, CallContext context);
  ApiCall(const ApiCall&) = delete;
  ApiCall& operator=(const ApiCall&) = delete;
  ~ApiCall();

  /// Puts the key into the request: what it is at the time of this attempt.
  Task<void> begin(HttpRequest& request);
  void saw(int status, const HttpHeaders& headers);
  void succeeded(const Usage& usage);
  /// Returns when the next attempt is due; throws `error` if there is none.
  Task<void> failed(std::exception_ptr error);
  /// From now on a failure is final: the caller has passed on part of the reply.
  void make_final() noexcept { final_ = true; }

 private:
  [[noreturn]] void refuse(std::chrono::milliseconds retry_after) const;
  bool has_new_key() const noexcept;
  void emit_retry(std::chrono::milliseconds delay, const std::exception_ptr& error) const;

  std::shared_ptr<ModelServerCore> core_;
  EventKind kind_;
  std::string model_;
  CallPriority priority_;
  std::uint64_t tokens_;
  CallContext context_;
  RatePass pass_;
  Secret key_;  ///< Of this attempt.
  bool has_renewed_key_ = false;
  std::uint32_t retries_ = 0;
  bool begun_ = false;
  bool attempting_ = false;
  bool final_ = false;
  int status_ = 0;
  std::string retry_after_ms_;
  std::string retry_after_;
  std::string should_retry_;
};

/// Priority of a call by its context.
CallPriority priority_of(const CallContext& context) noexcept;

/// A guess, from above for prose of any language, since rate limits and batches want no exact count: a token for three
/// bytes of ASCII, and 1.65 for a Chinese character (cl100k_base has up to 1.52 on average, and 0.9 for those English
/// bytes). Of numbers, code and random letters there may be twice as many.
std::uint64_t estimated_tokens(std::string_view text) noexcept;

}  // namespace ragstone::detail
