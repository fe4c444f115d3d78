#include "model/remote/model_server_core.hpp"

#include "async/notify_all.hpp"
#include "http/ascii_case.hpp"
#include "http/url.hpp"
#include "model/paid_error.hpp"
#include "model/remote/error_reply.hpp"
#include <ragstone/async/observer.hpp>
#include <ragstone/async/runtime.hpp>

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace ragstone {
namespace detail {
namespace {

using Clock = CallContext::Clock;

constexpr const char* kOwnFields[] = {"Content-Type", "Content-Length", "Transfer-Encoding", "Host"};

ModelServerOptions completed(ModelServerOptions options) {
  ProviderProfile& profile = options.profile;
  if (!options.base_url.empty()) profile.base_url = options.base_url;
  while (profile.base_url.ends_with('/')) profile.base_url.pop_back();
  if (!profile.base_url.starts_with("http://") && !profile.base_url.starts_with("https://"))
    throw Error(Errc::invalid_argument,
                "model server: the base URL '" + profile.base_url + "' begins with neither http:// nor https://");
  if (!options.key && !profile.key_variable.empty()) {
    const char* key = std::getenv(profile.key_variable.c_str());
    if (key != nullptr && *key != '\0') options.key = KeySource::fixed(Secret(key));
  }
  for (const auto& [name, value] : options.headers) {
    const bool ours = std::ranges::any_of(kOwnFields, [&name = name](const char* own) { return same_name(name, own); });
    const char* key_field = profile.key_header.empty() ? "Authorization" : profile.key_header.c_str();
    if (ours || (options.key && same_name(name, key_field)))
      throw Error(Errc::invalid_argument, "model server: the header field '" + name +
                                              "' is not to be given; a key belongs in ModelServerOptions::key");
  }
  if (options.first_token_timeout.count() <= 0)
    throw Error(Errc::invalid_argument,
                "model server: first_token_timeout must be above 0; for no limit give a long one");
  if (const double most = options.limits.tokens_per_minute / 10; most > 0) {
    const auto tokens = static_cast<std::uint32_t>(std::clamp(most, 1.0, 4e9));
    profile.max_request_tokens = profile.max_request_tokens > 0 ? std::min(profile.max_request_tokens, tokens) : tokens;
  }
  if (profile.local) options.http.addresses = AddressPolicy::with_local();
  return options;
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  if (what.empty()) return;
  for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
}

/// At most 2 KB of a text, without the secrets.
std::string without(const std::vector<std::string_view>& secrets, std::string text) {
  constexpr std::size_t kLongest = 2'048;
  constexpr std::size_t kRead = 65'536;
  const bool cut = text.size() >= kRead;
  std::size_t longest = 0;
  for (const std::string_view secret : secrets) {
    replace_all(text, secret, "[secret]");
    longest = std::max(longest, secret.size());
  }
  // The end of what was read may be the beginning of a secret.
  if (cut) text.resize(text.size() - std::min(text.size(), longest));
  if (text.size() > kLongest) {
    std::size_t end = kLongest;
    while (end > 0 && (text[end] & 0xC0) == 0x80) --end;
    text.resize(end);
  }
  return text;
}

Errc code_of(int status, bool retryable) {
  if (retryable) return Errc::transient;
  if (status >= 401 && status <= 403) return Errc::unauthorized;
  if (status == 404) return Errc::not_found;
  if (status == 413) return Errc::limit_exceeded;
  return Errc::rejected;
}

Task<void> wait_until(Clock::time_point due) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, due);
  co_await timer.async_wait(boost::asio::use_awaitable);
}

}  // namespace

ModelServerCore::ModelServerCore(Runtime& runtime, ModelServerOptions options)
    : options_(completed(std::move(options))),
      pool_(runtime.pool()),
      host_(Url::parse(options_.profile.base_url).host()),
      port_(Url::parse(options_.profile.base_url).port()),
      http_(runtime, options_.http),
      gate_(options_.limits),
      budget_(options_.retry),
      random_(std::random_device()()) {}

void ModelServerCore::describe(Metadata& attributes) const {
  attributes.set("provider", Scalar(options_.profile.name));
  attributes.set("server_address", Scalar(host_));
  attributes.set("server_port", port_);
}

std::string ModelServerCore::chat_identity(const std::string& model) const {
  const ProviderProfile& profile = options_.profile;
  std::string identity = model + " at " + profile.base_url + profile.chat_path;
  if (profile.default_max_tokens > 0) identity += " max_tokens=" + std::to_string(profile.default_max_tokens);
  if (!profile.think_tags) identity += " think_tags=false";
  if (!profile.chat_extra.empty()) identity += " extra=" + profile.chat_extra;
  return identity;
}

HttpRequest ModelServerCore::request(const std::string& path, std::string json, const std::string& base) const {
  HttpRequest request;
  request.method = "POST";
  request.url = (base.empty() ? options_.profile.base_url : base) + path;
  request.headers = options_.headers;
  request.headers.add("Content-Type", "application/json");
  request.key_header = options_.profile.key_header;
  request.body = std::move(json);
  return request;
}

std::string ModelServerCore::redacted(std::string text, const HttpRequest& request) const {
  constexpr std::size_t kShort = 8;  // "true" is no secret, and may be part of any text
  std::vector<std::string_view> secrets{request.bearer.reveal()};
  for (const auto& [name, value] : options_.headers)
    if (value.size() >= kShort) secrets.emplace_back(value);
  return without(secrets, std::move(text));
}

Task<void> ModelServerCore::refuse(const std::string& model, const HttpRequest& request, int status,
                                   const HttpHeaders& headers, std::string body, CallContext context) const {
  const std::size_t bytes = body.size();
  Work<std::string> work;
  work.set([body = std::move(body)](const StopToken&) { return error_text(body); });
  std::string text = co_await carry_out(bytes, std::move(work), std::move(context));
  throw error_of(model, request, status, headers, std::move(text));
}

Error ModelServerCore::error_of(const std::string& model, const HttpRequest& request, int status,
                                const HttpHeaders& headers, std::string text) const {
  text = redacted(std::move(text), request);
  std::string what = options_.profile.name + " '" + model + "': status " + std::to_string(status);
  if (!text.empty()) what += ": " + text;
  if (status == 401 || status == 403) {
    what += options_.profile.key_variable.empty() ? "; the key is missing or not accepted"
                                                  : "; is the key in " + options_.profile.key_variable + " right?";
  }
  AttemptEnd end;
  end.status = status;
  end.retry_after_ms = headers.find("retry-after-ms");
  end.retry_after = headers.find("retry-after");
  const Errc code = code_of(status, is_retryable_status(status));
  const auto delay = requested_delay(end, std::chrono::system_clock::now());
  return code == Errc::transient && delay ? Error(code, what, *delay) : Error(code, what);
}

std::exception_ptr ModelServerCore::told(const std::string& model, const HttpRequest& request,
                                         const std::exception_ptr& error) const {
  const std::string what = redacted(message_of(error), request);
  const Error described(errc_of(error), options_.profile.name + " '" + model + "': " + what);
  return paid(std::make_exception_ptr(described), usage_of(error).value_or(Usage()));
}

std::optional<std::chrono::milliseconds> ModelServerCore::refusal() {
  const std::lock_guard lock(mutex_);
  return budget_.refusal(Clock::now());
}

std::optional<std::chrono::milliseconds> ModelServerCore::begin_call() {
  const std::lock_guard lock(mutex_);
  return budget_.begin_call(Clock::now());
}

bool ModelServerCore::begin_retry() {
  const std::lock_guard lock(mutex_);
  return budget_.begin_retry(Clock::now());
}

void ModelServerCore::attempt_succeeded() {
  const std::lock_guard lock(mutex_);
  budget_.attempt_succeeded();
}

void ModelServerCore::attempt_failed() {
  const std::lock_guard lock(mutex_);
  budget_.attempt_failed(Clock::now());
}

void ModelServerCore::attempt_abandoned() {
  const std::lock_guard lock(mutex_);
  budget_.attempt_abandoned();
}

double ModelServerCore::random() {
  const std::lock_guard lock(mutex_);
  return std::uniform_real_distribution<double>()(random_);
}

ApiCall::ApiCall(std::shared_ptr<ModelServerCore> core, EventKind kind, std::string model, CallPriority priority,
                 std::uint64_t tokens, CallContext context)
    : core_(std::move(core)),
      kind_(kind),
      model_(std::move(model)),
      priority_(priority),
      tokens_(tokens),
      context_(std::move(context)) {}

ApiCall::~ApiCall() {
  if (attempting_) core_->attempt_abandoned();
}

void ApiCall::refuse(std::chrono::milliseconds retry_after) const {
  throw Error(Errc::transient,
              core_->profile().name + " '" + model_ + "': not asked, since the server fails again and again",
              retry_after);
}

// The breaker may have opened while the call waited for its turn.
Task<void> ApiCall::begin(HttpRequest& request) {
  const bool begins = !std::exchange(begun_, true);
  if (begins)
    if (const auto wait = core_->refusal()) refuse(*wait);
  pass_ = co_await core_->gate().enter(priority_, tokens_, context_);
  if (begins) {
    if (const auto wait = core_->begin_call()) {
      pass_.give_back();
      refuse(*wait);
    }
  }
  attempting_ = true;
  status_ = 0;
  key_ = core_->key();
  request.bearer = key_;
}

void ApiCall::saw(int status, const HttpHeaders& headers) {
  status_ = status;
  retry_after_ms_ = headers.find("retry-after-ms");
  retry_after_ = headers.find("retry-after");
  should_retry_ = headers.find("x-should-retry");
}

void ApiCall::succeeded(const Usage& usage) {
  attempting_ = false;
  core_->attempt_succeeded();
  const auto used = usage.total ? usage.total : usage.input;
  if (used) core_->gate().correct(tokens_, *used);
  pass_.release();
}

bool ApiCall::has_new_key() const noexcept try { return core_->key().reveal() != key_.reveal(); } catch (...) {
  return false;
}

// No coroutine: one that is cancelled would end with another error than the one that it was given.
Task<void> ApiCall::failed(std::exception_ptr error) {
  const bool attempting = std::exchange(attempting_, false);
  pass_.release();
  const bool cancelled = is_cancelled(error);
  const bool transient = errc_of(error) == Errc::transient && !cancelled;
  AttemptEnd end;
  if (status_ >= 300) {
    end.status = status_;
    end.retry_after_ms = retry_after_ms_;
    end.retry_after = retry_after_;
    end.should_retry = should_retry_;
  }
  // A reply that came whole, and cannot be taken, was counted as a success.
  if (attempting && transient) core_->attempt_failed();
  if (attempting && !transient) {
    // A server that refuses what it is asked is there.
    const bool refuses = status_ >= 300 && !is_retryable_status(status_);
    if (refuses && !cancelled) {
      core_->attempt_succeeded();
    } else {
      core_->attempt_abandoned();
    }
  }
  if (cancelled || final_ || (!transient && end.status == 0)) std::rethrow_exception(error);
  const bool again = status_ == 401 && !has_renewed_key_ && has_new_key();
  has_renewed_key_ = has_renewed_key_ || again;
  const auto delay =
      again ? std::optional<std::chrono::milliseconds>(0)
            : retry_delay(core_->retry(), end, retries_, core_->random(), std::chrono::system_clock::now());
  if (!delay) std::rethrow_exception(error);
  const auto due = Clock::now() + *delay;
  if (context_.deadline() && *context_.deadline() <= due) std::rethrow_exception(error);
  if (!core_->begin_retry()) std::rethrow_exception(error);
  ++retries_;
  emit_retry(*delay, error);
  return wait_until(due);
}

void ApiCall::emit_retry(std::chrono::milliseconds delay, const std::exception_ptr& error) const {
  if (!context_.observed()) return;
  Metadata attributes;
  attributes.set("attempt", static_cast<std::int64_t>(retries_));
  attributes.set("delay_ms", static_cast<std::int64_t>(delay.count()));
  attributes.set("error", name_of(errc_of(error)));
  if (status_ != 0) attributes.set("status", status_);
  if (const auto used = usage_of(error)) set_usage(attributes, *used);
  const Event event(context_.without_observers(), kind_, EventPhase::retry, model_, std::move(attributes));
  notify_all(context_, event);
}

CallPriority priority_of(const CallContext& context) noexcept {
  return context.lane() == Lane::foreground ? CallPriority::query : CallPriority::ingest;
}

std::uint64_t estimated_tokens(std::string_view text) noexcept {
  const auto ascii = static_cast<std::uint64_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
  return ascii / 3 + (text.size() - ascii) * 11 / 20 + 1;
}

}  // namespace detail

ModelServer::ModelServer(Runtime& runtime, ModelServerOptions options)
    : core_(std::make_shared<detail::ModelServerCore>(runtime, std::move(options))) {}

}  // namespace ragstone
