#include "support/http/key_watch.hpp"

#include <ragstone/async/observer.hpp>
#include <ragstone/base/error.hpp>
#include <ragstone/base/spdlog_sink.hpp>
#include <ragstone/model/json_lines.hpp>

#include <cstdint>
#include <mutex>
#include <ostream>
#include <streambuf>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

namespace ragstone::test {

class KeyWatch::State : public std::enable_shared_from_this<State> {
 public:
  explicit State(const std::string& key) : key_(key.substr(0, 6)) {}
  ~State() { std::erase(spdlog::default_logger()->sinks(), spdlog_listener_); }

  /// To spdlog: a logger of its own for observers, and the default logger, at every level.
  void listen_to_spdlog();

  void hear(std::string_view line) {
    const std::lock_guard lock(mutex_);
    ++heard_;
    if (line.find(key_) != line.npos) leaks_.emplace_back(line);
  }

  std::size_t heard() const {
    const std::lock_guard lock(mutex_);
    return heard_;
  }
  std::vector<std::string> leaks() const {
    const std::lock_guard lock(mutex_);
    return leaks_;
  }

  /// With observers of each kind.
  CallContext context(CallContext context);

  /// Awaits a call; hears the exception that it ends with.
  template <class T>
  Task<T> listen(Task<T> call) {
    try {
      co_return co_await std::move(call);
    } catch (...) {
      hear(message_of(std::current_exception()));
      throw;
    }
  }

 private:
  const std::string key_;
  mutable std::mutex mutex_;
  std::size_t heard_ = 0;
  std::vector<std::string> leaks_;
  spdlog::sink_ptr spdlog_listener_;
  std::shared_ptr<spdlog::logger> logger_;
};

namespace {

using State = KeyWatch::State;

/// Everything that an event holds.
class EventListener final : public Observer {
 public:
  explicit EventListener(std::shared_ptr<State> state) : state_(std::move(state)) {}

 private:
  void on_event(const Event& event) override {
    state_->hear(event.name());
    for (const std::string& tag : event.tags()) state_->hear(tag);
    for (const Metadata* values : {&event.metadata(), &event.attributes()})
      for (const auto& [name, value] : *values)
        if (const auto* text = std::get_if<std::string>(&value)) state_->hear(*text);
    if (event.error()) state_->hear(message_of(event.error()));
  }

  const std::shared_ptr<State> state_;
};

/// A stream for console_observer(), heard line by line.
class LineBuffer final : public std::streambuf {
 public:
  explicit LineBuffer(std::shared_ptr<State> state) : state_(std::move(state)) {}

 private:
  int_type overflow(int_type c) override {
    line_ += static_cast<char>(c);
    if (c == '\n') state_->hear(std::exchange(line_, {}));
    return c;
  }

  const std::shared_ptr<State> state_;
  std::string line_;
};

/// A console_observer() with its stream.
class Console final : public Observer {
 public:
  explicit Console(std::shared_ptr<State> state)
      : buffer_(std::move(state)), stream_(&buffer_), observer_(console_observer(stream_)) {}

 private:
  void on_event(const Event& event) override { observer_->notify(event); }

  LineBuffer buffer_;
  std::ostream stream_;
  const std::shared_ptr<Observer> observer_;
};

/// Lines as spdlog formats them.
class SpdlogListener final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit SpdlogListener(std::weak_ptr<State> state) : state_(std::move(state)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    if (const auto state = state_.lock()) state->hear(std::string_view(line.data(), line.size()));
  }
  void flush_() override {}

  const std::weak_ptr<State> state_;
};

class WatchedChatModel final : public ChatModel {
 public:
  WatchedChatModel(std::shared_ptr<ChatModel> inner, std::shared_ptr<State> state)
      : inner_(std::move(inner)), state_(std::move(state)) {
    state_->hear(inner_->identity());
  }

  const std::string& name() const noexcept override { return inner_->name(); }
  std::string identity() const override { return inner_->identity(); }

 private:
  bool emits_runs() const noexcept override { return false; }
  Task<ChatReply> do_chat(const ChatRequest& request, ChatPieces& pieces, CallContext context) override {
    return state_->listen(forward(*inner_, request, pieces, state_->context(std::move(context))));
  }

  const std::shared_ptr<ChatModel> inner_;
  const std::shared_ptr<State> state_;
};

class WatchedEmbedder final : public Embedder {
 public:
  WatchedEmbedder(std::shared_ptr<Embedder> inner, std::shared_ptr<State> state)
      : inner_(std::move(inner)), state_(std::move(state)) {
    state_->hear(inner_->identity().signature());
  }

  const EmbedderIdentity& identity() const noexcept override { return inner_->identity(); }
  // The inner one makes the batches.
  std::size_t max_batch() const noexcept override { return SIZE_MAX; }

 private:
  bool emits_runs() const noexcept override { return false; }
  Task<EmbeddedBatch> do_embed(std::span<const std::string> texts, EmbedRole role, CallContext context) override {
    std::vector<std::string> own(texts.begin(), texts.end());
    auto embeddings = co_await state_->listen(inner_->embed(std::move(own), role, state_->context(std::move(context))));
    EmbeddedBatch batch(std::move(embeddings.values), embeddings.usage);
    co_return batch;
  }

  const std::shared_ptr<Embedder> inner_;
  const std::shared_ptr<State> state_;
};

class WatchedReranker final : public Reranker {
 public:
  WatchedReranker(std::shared_ptr<Reranker> inner, std::shared_ptr<State> state)
      : inner_(std::move(inner)), state_(std::move(state)) {}

  std::string_view name() const noexcept override { return inner_->name(); }

 private:
  bool emits_runs() const noexcept override { return false; }
  Task<Reranking> do_rerank(std::string_view query, std::span<const std::string> texts, std::size_t top_n,
                            CallContext context) override {
    std::vector<std::string> own(texts.begin(), texts.end());
    auto ranked = co_await state_->listen(
        inner_->rerank(std::string(query), std::move(own), top_n, state_->context(std::move(context))));
    Reranking reranking(std::move(ranked));
    co_return reranking;
  }

  const std::shared_ptr<Reranker> inner_;
  const std::shared_ptr<State> state_;
};

}  // namespace

void KeyWatch::State::listen_to_spdlog() {
  spdlog_listener_ = std::make_shared<SpdlogListener>(weak_from_this());
  logger_ = std::make_shared<spdlog::logger>("watched", spdlog_listener_);
  const auto by_default = spdlog::default_logger();
  by_default->sinks().push_back(spdlog_listener_);
  for (const auto& logger : {logger_, by_default}) logger->set_level(spdlog::level::trace);
}

CallContext KeyWatch::State::context(CallContext context) {
  const auto self = shared_from_this();
  const auto hear_line = [self](std::string_view line) { self->hear(line); };
  context = context.with_observer(std::make_shared<EventListener>(self));
  context = context.with_observer(std::make_shared<Console>(self));
  context = context.with_observer(json_lines_observer(hear_line));
  context = context.with_observer(log_observer(hear_line));
  for (const LogLevel level : {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error}) {
    const auto hear_message = [self](LogLevel, std::string_view message) { self->hear(message); };
    context = context.with_observer(log_observer(LogSink(hear_message, level), level));
  }
  return context.with_observer(log_observer(spdlog_sink(logger_, LogLevel::debug)));
}

KeyWatch::KeyWatch(const std::string& key) : state_(std::make_shared<State>(key)) { state_->listen_to_spdlog(); }

std::shared_ptr<ChatModel> KeyWatch::watched(std::shared_ptr<ChatModel> model) const {
  return std::make_shared<WatchedChatModel>(std::move(model), state_);
}
std::shared_ptr<Embedder> KeyWatch::watched(std::shared_ptr<Embedder> embedder) const {
  return std::make_shared<WatchedEmbedder>(std::move(embedder), state_);
}
std::shared_ptr<Reranker> KeyWatch::watched(std::shared_ptr<Reranker> reranker) const {
  return std::make_shared<WatchedReranker>(std::move(reranker), state_);
}

std::size_t KeyWatch::heard() const { return state_->heard(); }
std::vector<std::string> KeyWatch::leaks() const { return state_->leaks(); }

}  // namespace ragstone::test
