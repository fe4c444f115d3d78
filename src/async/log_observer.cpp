#include "async/event_text.hpp"
#include "base/one_line.hpp"
#include <ragstone/async/observer.hpp>
#include <ragstone/base/error.hpp>

#include <mutex>
#include <sstream>
#include <utility>

namespace ragstone {
namespace {

std::string line_of(const Event& event) {
  std::ostringstream out;
  out << name_of(event.kind()) << ' ' << name_of(event.phase()) << ' ' << event.name()
      << " run=" << to_string(event.run_id());
  if (event.parent_run_id() != Hash128()) out << " parent=" << to_string(event.parent_run_id());
  for (const auto& tag : event.tags()) out << " tag=" << tag;
  append_values(out, event.metadata());
  append_values(out, event.attributes());
  if (event.phase() == EventPhase::token) out << " bytes=" << event.text().size();
  append_error(out, event);
  return one_line(out.str());  // names and values may come from users and servers
}

class LogObserver final : public Observer {
 public:
  explicit LogObserver(std::function<void(std::string_view)> write) : write_(std::move(write)) {}

 private:
  void on_event(const Event& event) override {
    const std::string line = line_of(event);
    std::lock_guard lock(mutex_);
    write_(line);
  }

  std::mutex mutex_;
  std::function<void(std::string_view)> write_;
};

class SinkObserver final : public Observer {
 public:
  SinkObserver(LogSink log, LogLevel level) : log_(std::move(log)), level_(level) {}

  bool wants_tokens() const noexcept override { return false; }

 private:
  void on_event(const Event& event) override {
    const bool failed = event.phase() == EventPhase::error && !event.cancelled();
    const LogLevel level = failed ? LogLevel::warning : level_;
    if (log_.enabled(level)) log_(level, line_of(event));
  }

  const LogSink log_;
  const LogLevel level_;
};

}  // namespace

std::shared_ptr<Observer> log_observer(std::function<void(std::string_view)> write) {
  if (!write) throw Error(Errc::invalid_argument, "log_observer: no function to write to");
  return std::make_shared<LogObserver>(std::move(write));
}

std::shared_ptr<Observer> log_observer(LogSink log, LogLevel level) {
  return std::make_shared<SinkObserver>(std::move(log), level);
}

}  // namespace ragstone
