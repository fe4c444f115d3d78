#include "async/event_text.hpp"
#include "base/one_line.hpp"
#include <ragstone/async/observer.hpp>

#include <chrono>
#include <iomanip>
#include <mutex>
#include <ostream>
#include <sstream>
#include <string>
#include <unordered_map>

namespace ragstone {
namespace {

class ConsoleObserver final : public Observer {
 public:
  explicit ConsoleObserver(std::ostream& out) : out_(out) {}

  bool wants_tokens() const noexcept override { return false; }

 private:
  struct Open {
    std::size_t depth = 0;
    CallContext::Clock::time_point begin;
  };

  void on_event(const Event& event) override {
    const std::lock_guard lock(mutex_);
    if (event.phase() == EventPhase::start) {
      const auto parent = open_.find(event.parent_run_id());
      const std::size_t depth = parent == open_.end() ? 0 : parent->second.depth + 1;
      open_[event.run_id()] = Open{depth, event.time()};
    } else if (event.phase() == EventPhase::end || event.phase() == EventPhase::error) {
      if (const auto run = open_.extract(event.run_id())) show(event, run.mapped());
    }
  }

  void show(const Event& event, const Open& run) {
    const std::chrono::duration<double, std::milli> time = event.time() - run.begin;
    std::ostringstream line;
    line << std::string(2 * run.depth, ' ') << name_of(event.kind()) << ' ' << event.name() << ' ' << std::fixed
         << std::setprecision(1) << time.count() << std::defaultfloat << std::setprecision(6) << " ms";
    append_values(line, event.attributes());
    append_error(line, event);
    out_ << one_line(line.str()) << '\n' << std::flush;
  }

  std::mutex mutex_;
  std::ostream& out_;
  std::unordered_map<Hash128, Open> open_;  // by run
};

}  // namespace

std::shared_ptr<Observer> console_observer(std::ostream& out) { return std::make_shared<ConsoleObserver>(out); }

}  // namespace ragstone
