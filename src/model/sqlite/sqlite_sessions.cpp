#include "model/sqlite/side_database.hpp"
#include "store/sqlite/engine.hpp"
#include <ragstone/model/sqlite_cache.hpp>

#include <utility>

namespace ragstone {
namespace {

using sqlite::Database;
using sqlite::Rows;
using sqlite::Statement;
using sqlite::Transaction;

constexpr sqlite::SideSchema kSchema{sqlite::kSessionsFile, 0x5241474D, 2, R"sql(
CREATE TABLE session(
  id INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL,
  name TEXT NOT NULL,
  last INTEGER NOT NULL,
  summarized INTEGER NOT NULL,
  summary TEXT NOT NULL,
  summary_tokens INTEGER NOT NULL,
  UNIQUE(tenant, name)
) STRICT;
CREATE TABLE turn(
  session INTEGER NOT NULL,
  number INTEGER NOT NULL,
  question TEXT NOT NULL,
  answer TEXT NOT NULL,
  tokens INTEGER NOT NULL,
  PRIMARY KEY(session, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE cleared(last INTEGER NOT NULL) STRICT;
INSERT INTO cleared VALUES(0);
)sql",
                                     "FULL"};

std::int64_t signed_of(std::uint64_t value) { return static_cast<std::int64_t>(value); }
std::uint64_t unsigned_of(std::int64_t value) { return static_cast<std::uint64_t>(value); }

void bind(Statement& statement, const SessionId& session) {
  statement.bind_text(1, session.tenant);
  statement.bind_text(2, session.name);
}

/// 0: there is no such session.
std::int64_t row_of(Database& database, const SessionId& session) {
  Statement& statement = database.statement("SELECT id FROM session WHERE tenant = ? AND name = ?");
  const Rows resets_at_the_end(statement);
  bind(statement, session);
  return statement.step() ? statement.integer(0) : 0;
}

SessionRecord read(Database& database, const SessionId& session) {
  SessionRecord record;
  std::int64_t id = 0;
  {
    Statement& statement =
        database.statement("SELECT id, summary, summary_tokens, summarized FROM session WHERE tenant = ? AND name = ?");
    const Rows resets_at_the_end(statement);
    bind(statement, session);
    if (!statement.step()) return record;
    id = statement.integer(0);
    record.summary = statement.text(1);
    record.summary_tokens = unsigned_of(statement.integer(2));
    record.summarized = unsigned_of(statement.integer(3));
  }
  Statement& turns =
      database.statement("SELECT number, question, answer, tokens FROM turn WHERE session = ? ORDER BY number");
  turns.bind_integer(1, id);
  for (Rows rows(turns); rows.next();) {
    Turn& turn = record.turns.emplace_back();
    turn.number = unsigned_of(turns.integer(0));
    turn.question = turns.text(1);
    turn.answer = turns.text(2);
    turn.tokens = unsigned_of(turns.integer(3));
  }
  return record;
}

SessionRecord add_turn(Database& database, const SessionId& session, const Turn& turn) {
  Transaction transaction(database);
  Statement& counting = database.statement(
      "INSERT INTO session(tenant, name, last, summarized, summary, summary_tokens) "
      "VALUES(?, ?, (SELECT last + 1 FROM cleared), 0, '', 0) "
      "ON CONFLICT(tenant, name) DO UPDATE SET last = last + 1");
  bind(counting, session);
  counting.run();
  Statement& adding = database.statement(
      "INSERT INTO turn(session, number, question, answer, tokens) "
      "SELECT id, last, ?, ?, ? FROM session WHERE tenant = ? AND name = ?");
  adding.bind_text(1, turn.question);
  adding.bind_text(2, turn.answer);
  adding.bind_integer(3, signed_of(turn.tokens));
  adding.bind_text(4, session.tenant);
  adding.bind_text(5, session.name);
  adding.run();
  SessionRecord record = read(database, session);
  transaction.commit();
  return record;
}

void drop_turns(Database& database, std::int64_t id, std::uint64_t last) {
  Statement& statement = database.statement("DELETE FROM turn WHERE session = ? AND number <= ?");
  statement.bind_integer(1, id);
  statement.bind_integer(2, signed_of(last));
  statement.run();
}

/// So that a summary which is being made, and knows turns by their numbers, finds no later ones by them.
void keep_numbers(Database& database, std::int64_t id) {
  Statement& statement =
      database.statement("UPDATE cleared SET last = max(last, (SELECT last FROM session WHERE id = ?))");
  statement.bind_integer(1, id);
  statement.run();
}

class SqliteSessions final : public SessionStore {
 public:
  SqliteSessions(Pool pool, const std::filesystem::path& folder)
      : pool_(std::move(pool)), side_(std::make_shared<sqlite::SideDatabase>(folder, kSchema)) {}

 private:
  template <class T, class Job>
  Task<T> run(Job job, CallContext context) {
    const Lane lane = context.lane();
    return sqlite::on_side_database<T>(side_, pool_, lane, std::move(job), std::move(context));
  }

  Task<SessionRecord> do_load(SessionId session, CallContext context) override {
    auto job = [session = std::move(session)](Database& database) {
      Transaction whole(database);  // rolled back: one state for both tables
      return read(database, session);
    };
    return run<SessionRecord>(std::move(job), std::move(context));
  }

  Task<SessionRecord> do_append(SessionId session, Turn turn, CallContext context) override {
    auto job = [session = std::move(session), turn = std::move(turn)](Database& database) {
      return add_turn(database, session, turn);
    };
    return run<SessionRecord>(std::move(job), std::move(context));
  }

  Task<void> do_drop(SessionId session, std::uint64_t last, CallContext context) override {
    auto job = [session = std::move(session), last](Database& database) {
      Transaction transaction(database);
      drop_turns(database, row_of(database, session), last);
      transaction.commit();
    };
    return run<void>(std::move(job), std::move(context));
  }

  Task<bool> do_summarize(SessionId session, std::uint64_t expected, std::uint64_t last, std::string summary,
                          std::uint64_t summary_tokens, CallContext context) override {
    auto job = [=, session = std::move(session), summary = std::move(summary)](Database& database) {
      Transaction transaction(database);
      Statement& statement = database.statement(
          "UPDATE session SET summary = ?, summary_tokens = ?, summarized = ? "
          "WHERE tenant = ? AND name = ? AND summarized = ? "
          "AND EXISTS(SELECT 1 FROM turn WHERE session = session.id AND number = ?)");
      statement.bind_text(1, summary);
      statement.bind_integer(2, signed_of(summary_tokens));
      statement.bind_integer(3, signed_of(last));
      statement.bind_text(4, session.tenant);
      statement.bind_text(5, session.name);
      statement.bind_integer(6, signed_of(expected));
      statement.bind_integer(7, signed_of(last));
      statement.run();
      if (database.changes() == 0) return false;
      drop_turns(database, row_of(database, session), last);
      transaction.commit();
      return true;
    };
    return run<bool>(std::move(job), std::move(context));
  }

  Task<bool> do_clear(SessionId session, CallContext context) override {
    auto job = [session = std::move(session)](Database& database) {
      Transaction transaction(database);
      const std::int64_t id = row_of(database, session);
      if (id == 0) return false;
      drop_turns(database, id, INT64_MAX);
      keep_numbers(database, id);
      Statement& statement = database.statement("DELETE FROM session WHERE id = ?");
      statement.bind_integer(1, id);
      statement.run();
      transaction.commit();
      return true;
    };
    return run<bool>(std::move(job), std::move(context));
  }

  Task<std::vector<std::string>> do_names(std::string tenant, CallContext context) override {
    auto job = [tenant = std::move(tenant)](Database& database) {
      std::vector<std::string> names;
      Statement& statement = database.statement("SELECT name FROM session WHERE tenant = ? ORDER BY name");
      statement.bind_text(1, tenant);
      for (Rows rows(statement); rows.next();) names.emplace_back(statement.text(0));
      return names;
    };
    return run<std::vector<std::string>>(std::move(job), std::move(context));
  }

  const Pool pool_;
  const std::shared_ptr<sqlite::SideDatabase> side_;
};

}  // namespace

std::shared_ptr<SessionStore> sqlite_sessions(Pool pool, const std::filesystem::path& folder) {
  return std::make_shared<SqliteSessions>(std::move(pool), folder);
}

}  // namespace ragstone
