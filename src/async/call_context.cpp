#include <ragstone/async/call_context.hpp>
#include <ragstone/base/error.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <random>
#include <utility>

namespace ragstone {

class CallContext::Data {
 public:
  std::optional<Clock::time_point> deadline;
  std::optional<Clock::duration> call_timeout;
  Lane lane = Lane::foreground;
  Hash128 run_id;
  Hash128 parent_run_id;
  Hash128 trace_id;
  std::vector<std::string> tags;
  Metadata metadata;
  std::vector<std::shared_ptr<Observer>> observers;
  std::shared_ptr<const TokenCounter> token_counter;
};

namespace {

std::uint64_t mixed(std::uint64_t value) {  // the finaliser of SplitMix64
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
  return value ^ (value >> 31);
}

std::uint64_t entropy() {
  std::random_device device;
  return static_cast<std::uint64_t>(device()) << 32 | device();
}

// Unique in the process by the counter, between processes by the seeds; not for secrets.
Hash128 fresh_run_id() {
  static const std::array<std::uint64_t, 2> seeds{entropy(), entropy()};
  static std::atomic<std::uint64_t> counter = 0;
  const std::uint64_t count = counter.fetch_add(1, std::memory_order_relaxed);
  const std::array<std::uint64_t, 2> words{mixed(seeds[0] + count * 0x9e3779b97f4a7c15u), mixed(seeds[1] ^ count)};
  Hash128 id;
  static_assert(sizeof words == sizeof id.bytes);
  std::memcpy(id.bytes.data(), words.data(), sizeof words);
  return id;
}

}  // namespace

const CallContext::Data& CallContext::empty() noexcept {
  static const Data data;
  return data;
}

template <class Change>
CallContext CallContext::changed(Change change) const {
  auto copy = std::make_shared<Data>(data());
  change(*copy);
  CallContext context;
  context.data_ = std::move(copy);
  return context;
}

std::optional<CallContext::Clock::time_point> CallContext::deadline() const noexcept { return data().deadline; }

CallContext CallContext::with_deadline(Clock::time_point deadline) const {
  if (data().deadline && *data().deadline <= deadline) return *this;
  return changed([&](Data& data) { data.deadline = deadline; });
}

CallContext CallContext::with_timeout(Clock::duration timeout) const {
  const auto now = Clock::now();
  const bool representable = timeout < Clock::time_point::max() - now;
  return with_deadline(representable ? now + timeout : Clock::time_point::max());
}

std::optional<CallContext::Clock::duration> CallContext::call_timeout() const noexcept { return data().call_timeout; }

CallContext CallContext::with_call_timeout(Clock::duration timeout) const {
  if (data().call_timeout && *data().call_timeout <= timeout) return *this;
  return changed([&](Data& data) { data.call_timeout = timeout; });
}

CallContext CallContext::in_turn() const { return data().call_timeout ? with_timeout(*data().call_timeout) : *this; }

CallContext CallContext::without_deadline() const {
  if (!data().deadline) return *this;
  return changed([](Data& data) { data.deadline.reset(); });
}

Lane CallContext::lane() const noexcept { return data().lane; }

CallContext CallContext::with_lane(Lane lane) const {
  if (lane == data().lane) return *this;
  return changed([&](Data& data) { data.lane = lane; });
}

const Hash128& CallContext::run_id() const noexcept { return data().run_id; }
const Hash128& CallContext::parent_run_id() const noexcept { return data().parent_run_id; }
const Hash128& CallContext::trace_id() const noexcept { return data().trace_id; }

CallContext CallContext::with_trace_id(const Hash128& id) const {
  return changed([&](Data& data) { data.trace_id = id; });
}

CallContext CallContext::child() const {
  return changed([](Data& data) {
    data.parent_run_id = std::exchange(data.run_id, fresh_run_id());
    if (data.trace_id == Hash128()) data.trace_id = data.run_id;
  });
}

const std::vector<std::string>& CallContext::tags() const noexcept { return data().tags; }
const Metadata& CallContext::metadata() const noexcept { return data().metadata; }

CallContext CallContext::with_tag(std::string tag) const {
  return changed([&](Data& data) { data.tags.push_back(std::move(tag)); });
}

CallContext CallContext::with_metadata(std::string name, Scalar value) const {
  return changed([&](Data& data) { data.metadata.set(std::move(name), std::move(value)); });
}

const std::vector<std::shared_ptr<Observer>>& CallContext::observers() const noexcept { return data().observers; }

CallContext CallContext::with_observer(std::shared_ptr<Observer> observer) const {
  if (!observer) throw Error(Errc::invalid_argument, "with_observer: null observer");
  if (std::ranges::find(data().observers, observer) != data().observers.end()) return *this;
  return changed([&](Data& data) { data.observers.push_back(std::move(observer)); });
}

const std::shared_ptr<const TokenCounter>& CallContext::token_counter() const noexcept { return data().token_counter; }

CallContext CallContext::with_token_counter(std::shared_ptr<const TokenCounter> counter) const {
  return changed([&](Data& data) { data.token_counter = std::move(counter); });
}

CallContext CallContext::without_observers() const {
  if (!observed()) return *this;
  return changed([](Data& data) { data.observers.clear(); });
}

}  // namespace ragstone
