#pragma once

#include <ragstone/base/error.hpp>
#include <ragstone/model/sessions.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace ragstone::test {

/// Sessions in memory whose turns are added once that is allowed. Thread-safe.
class HeldSessions final : public SessionStore {
 public:
  /// Every turn, of this and each later call.
  void allow();
  /// So many turns more.
  void allow(std::size_t turns);
  /// The turn with this question is not added, but throws.
  void fail(const std::string& question, Errc code);
  /// The questions of all turns that were to be added, in order.
  std::vector<std::string> asked() const;

 private:
  bool take_permission();
  void throw_if_it_fails(const std::string& question) const;

  Task<SessionRecord> do_load(SessionId session, CallContext context) override;
  Task<SessionRecord> do_append(SessionId session, Turn turn, CallContext context) override;
  Task<void> do_drop(SessionId session, std::uint64_t last, CallContext context) override;
  Task<bool> do_summarize(SessionId session, std::uint64_t expected, std::uint64_t last, std::string summary,
                          std::uint64_t tokens, CallContext context) override;
  Task<bool> do_clear(SessionId session, CallContext context) override;
  Task<std::vector<std::string>> do_names(std::string tenant, CallContext context) override;

  const std::shared_ptr<SessionStore> inner_ = memory_sessions();
  mutable std::mutex mutex_;
  bool is_open_ = false;
  std::size_t allowed_ = 0;
  std::map<std::string, Errc> failures_;
  std::vector<std::string> asked_;
};

}  // namespace ragstone::test
