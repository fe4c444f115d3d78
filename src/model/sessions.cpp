#include <ragstone/base/error.hpp>
#include <ragstone/base/utf8.hpp>
#include <ragstone/model/sessions.hpp>
#include <ragstone/text/utf8.hpp>

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

namespace ragstone {
namespace {

constexpr std::size_t kLongestName = 1024;

void check_tenant(const std::string& tenant) {
  if (tenant.size() > kLongestName || !utf8::is_valid(tenant))
    throw Error(Errc::invalid_argument, "session: a tenant's name is at most 1,024 bytes of valid UTF-8");
}

void check(const SessionId& session) {
  check_tenant(session.tenant);
  if (session.name.empty() || session.name.size() > kLongestName || !utf8::is_valid(session.name))
    throw Error(Errc::invalid_argument, "session: a session's name is 1 to 1,024 bytes of valid UTF-8");
}

class MemorySessions final : public SessionStore {
 private:
  Task<SessionRecord> do_load(SessionId session, CallContext) override {
    const std::lock_guard lock(mutex_);
    const auto found = sessions_.find(session);
    co_return found == sessions_.end() ? SessionRecord() : found->second.record;
  }

  Task<SessionRecord> do_append(SessionId session, Turn turn, CallContext) override {
    const std::lock_guard lock(mutex_);
    Entry& entry = sessions_.try_emplace(session, cleared_).first->second;
    turn.number = ++entry.last;
    entry.record.turns.push_back(std::move(turn));
    co_return entry.record;
  }

  Task<void> do_drop(SessionId session, std::uint64_t last, CallContext) override {
    const std::lock_guard lock(mutex_);
    if (const auto found = sessions_.find(session); found != sessions_.end()) drop(found->second.record, last);
    co_return;
  }

  Task<bool> do_summarize(SessionId session, std::uint64_t expected, std::uint64_t last, std::string summary,
                          std::uint64_t summary_tokens, CallContext) override {
    const std::lock_guard lock(mutex_);
    const auto found = sessions_.find(session);
    if (found == sessions_.end()) co_return false;
    SessionRecord& record = found->second.record;
    if (record.summarized != expected || !has(record, last)) co_return false;
    record.summary = std::move(summary);
    record.summary_tokens = summary_tokens;
    record.summarized = last;
    drop(record, last);
    co_return true;
  }

  Task<bool> do_clear(SessionId session, CallContext) override {
    const std::lock_guard lock(mutex_);
    const auto found = sessions_.find(session);
    if (found == sessions_.end()) co_return false;
    cleared_ = std::max(cleared_, found->second.last);
    sessions_.erase(found);
    co_return true;
  }

  Task<std::vector<std::string>> do_names(std::string tenant, CallContext) override {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> names;
    for (const auto& entry : sessions_)
      if (entry.first.tenant == tenant) names.push_back(entry.first.name);
    co_return names;
  }

  struct Entry {
    explicit Entry(std::uint64_t last_number) : last(last_number) {}

    SessionRecord record;
    std::uint64_t last;  // number that was given last
  };

  static bool has(const SessionRecord& record, std::uint64_t number) {
    return std::ranges::any_of(record.turns, [number](const Turn& turn) { return turn.number == number; });
  }

  static void drop(SessionRecord& record, std::uint64_t last) {
    std::erase_if(record.turns, [last](const Turn& turn) { return turn.number <= last; });
  }

  std::mutex mutex_;
  std::map<SessionId, Entry> sessions_;
  std::uint64_t cleared_ = 0;  // numbers up to this one may have been given to turns of cleared sessions
};

}  // namespace

Task<SessionRecord> SessionStore::load(SessionId session, CallContext context) {
  check(session);
  return do_load(std::move(session), std::move(context));
}

Task<SessionRecord> SessionStore::append(SessionId session, Turn turn, CallContext context) {
  check(session);
  if (!utf8::is_valid(turn.question) || !utf8::is_valid(turn.answer))
    throw Error(Errc::invalid_argument, "session: a turn is not valid UTF-8");
  return do_append(std::move(session), std::move(turn), std::move(context));
}

Task<void> SessionStore::drop(SessionId session, std::uint64_t last, CallContext context) {
  check(session);
  return do_drop(std::move(session), last, std::move(context));
}

Task<bool> SessionStore::summarize(SessionId session, std::uint64_t expected, std::uint64_t last, std::string summary,
                                   std::uint64_t summary_tokens, CallContext context) {
  check(session);
  if (!utf8::is_valid(summary)) throw Error(Errc::invalid_argument, "session: the summary is not valid UTF-8");
  return do_summarize(std::move(session), expected, last, std::move(summary), summary_tokens, std::move(context));
}

Task<bool> SessionStore::clear(SessionId session, CallContext context) {
  check(session);
  return do_clear(std::move(session), std::move(context));
}

Task<std::vector<std::string>> SessionStore::names(std::string tenant, CallContext context) {
  check_tenant(tenant);
  return do_names(std::move(tenant), std::move(context));
}

std::shared_ptr<SessionStore> memory_sessions() { return std::make_shared<MemorySessions>(); }

}  // namespace ragstone
