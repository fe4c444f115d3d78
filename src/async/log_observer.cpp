#include <ragstone/async/observer.hpp>
#include <ragstone/base/error.hpp>

#include <mutex>
#include <sstream>
#include <utility>

namespace ragstone {
namespace {

void append(std::ostream& out, const Metadata& values) {
  for (const auto& [name, value] : values) {
    out << ' ' << name << '=';
    std::visit([&out](const auto& scalar) { out << std::boolalpha << scalar; }, value);
  }
}

std::string line_of(const Event& event) {
  std::ostringstream out;
  out << name_of(event.kind()) << ' ' << name_of(event.phase()) << ' ' << event.name()
      << " run=" << to_string(event.run_id());
  if (event.parent_run_id() != Hash128()) out << " parent=" << to_string(event.parent_run_id());
  for (const auto& tag : event.tags()) out << " tag=" << tag;
  append(out, event.metadata());
  append(out, event.attributes());
  if (event.phase() == EventPhase::token) out << " bytes=" << event.text().size();
  if (event.cancelled()) {
    out << " cancelled";
  } else if (event.error()) {
    out << " error=" << name_of(errc_of(event.error())) << ": " << message_of(event.error());
  }
  return out.str();
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

}  // namespace

std::shared_ptr<Observer> log_observer(std::function<void(std::string_view)> write) {
  if (!write) throw Error(Errc::invalid_argument, "log_observer: no function to write to");
  return std::make_shared<LogObserver>(std::move(write));
}

}  // namespace ragstone
