#include "model/sqlite/side_database.hpp"
#include "store/sqlite/digest.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/model/sqlite_cache.hpp>

#include <chrono>
#include <system_error>
#include <utility>

namespace ragstone {
namespace {

using sqlite::Database;
using sqlite::Rows;
using sqlite::Statement;
using sqlite::Transaction;

// `used` counts uses, so that the oldest goes first whatever the clock does.
// So many hits are noted together where nothing is put.
constexpr std::size_t kMostHits = 1024;

constexpr sqlite::SideSchema kSchema{"cache.db", 0x52414743, 1, R"sql(
CREATE TABLE entry(
  id INTEGER PRIMARY KEY,
  kind INTEGER NOT NULL,
  key BLOB NOT NULL,
  value BLOB NOT NULL,
  digest INTEGER NOT NULL,
  used INTEGER NOT NULL,
  made INTEGER NOT NULL,
  expires INTEGER,
  UNIQUE(kind, key)
) STRICT;
CREATE INDEX entry_used ON entry(used, id);
CREATE TABLE total(
  one INTEGER PRIMARY KEY CHECK(one = 1),
  bytes INTEGER NOT NULL,
  entries INTEGER NOT NULL,
  used INTEGER NOT NULL
) STRICT;
INSERT INTO total VALUES(1, 0, 0, 0);
)sql",
                                     "NORMAL"};

std::string_view bytes_of(const Hash128& key) {
  return {reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size()};
}

std::int64_t digest_of(const Hash128& key, std::string_view value) {
  sqlite::Digest digest;
  digest.text(bytes_of(key));
  digest.text(value);
  return std::move(digest).value();
}

std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// While it lives, what another connection keeps locked fails at once.
class WithoutWaiting {
 public:
  explicit WithoutWaiting(Database& database) : database_(database) { database_.execute("PRAGMA busy_timeout = 0"); }
  ~WithoutWaiting() {
    try {
      database_.execute(sqlite::kSideBusyTimeout);
    } catch (...) {  // then the next locks are not waited for either
    }
  }
  WithoutWaiting(const WithoutWaiting&) = delete;
  WithoutWaiting& operator=(const WithoutWaiting&) = delete;

 private:
  Database& database_;
};

/// The cache's tables; used by one job at a time.
class CacheTables {
 public:
  explicit CacheTables(CacheOptions options) : options_(options) {}

  std::vector<std::optional<std::string>> get(Database& database, CacheKind kind, const std::vector<Hash128>& keys) {
    std::vector<std::optional<std::string>> values(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      values[i] = find(database, kind, keys[i]);
      ++(values[i] ? stats_.hits : stats_.misses);
    }
    if (hit_.size() >= kMostHits) note_hits(database);
    return values;
  }

  void put(Database& database, CacheKind kind, const std::vector<CacheEntry>& entries,
           std::optional<std::chrono::seconds> time_to_live) {
    Transaction transaction(database);
    read_total(database);
    mark_used(database);
    ++used_;
    for (const CacheEntry& entry : entries) {
      erase(database, kind, entry.key);
      if (entry.value.size() <= options_.max_bytes) insert(database, kind, entry, time_to_live);
    }
    make_room(database);
    write_total(database);
    transaction.commit();
    hit_.clear();
  }

  CacheStats stats(Database& database) {
    read_total(database);
    CacheStats stats = stats_;
    stats.bytes = static_cast<std::uint64_t>(bytes_);
    stats.entries = static_cast<std::uint64_t>(entries_);
    return stats;
  }

 private:
  /// An entry that another clock made in the future is as good as expired.
  std::optional<std::string> find(Database& database, CacheKind kind, const Hash128& key) {
    Statement& statement = database.statement(
        "SELECT id, value, digest FROM entry WHERE kind = ? AND key = ? AND (expires IS NULL OR (expires > ? AND made "
        "<= "
        "?))");
    const Rows resets_at_the_end(statement);
    const std::int64_t time = now();
    statement.bind_integer(1, static_cast<std::int64_t>(kind));
    statement.bind_blob(2, bytes_of(key));
    statement.bind_integer(3, time);
    statement.bind_integer(4, time);
    if (!statement.step()) return std::nullopt;
    std::string value(statement.blob(1));
    if (digest_of(key, value) != statement.integer(2)) return std::nullopt;
    hit_.push_back(statement.integer(0));
    return value;
  }

  void insert(Database& database, CacheKind kind, const CacheEntry& entry,
              std::optional<std::chrono::seconds> time_to_live) {
    Statement& statement = database.statement(
        "INSERT INTO entry(kind, key, value, digest, used, made, expires) VALUES(?, ?, ?, ?, ?, ?, ?)");
    const std::int64_t time = now();
    statement.bind_integer(1, static_cast<std::int64_t>(kind));
    statement.bind_blob(2, bytes_of(entry.key));
    statement.bind_blob(3, entry.value);
    statement.bind_integer(4, digest_of(entry.key, entry.value));
    statement.bind_integer(5, used_);
    statement.bind_integer(6, time);
    if (time_to_live) {
      statement.bind_integer(7, time + time_to_live->count());
    } else {
      statement.bind_null(7);
    }
    statement.run();
    bytes_ += static_cast<std::int64_t>(entry.value.size());
    ++entries_;
  }

  void erase(Database& database, CacheKind kind, const Hash128& key) {
    Statement& statement = database.statement("DELETE FROM entry WHERE kind = ? AND key = ? RETURNING length(value)");
    statement.bind_integer(1, static_cast<std::int64_t>(kind));
    statement.bind_blob(2, bytes_of(key));
    for (Rows rows(statement); rows.next();) forget(statement.integer(0));
  }

  /// Waits for nobody: where hits cannot be noted (another writes, the disk is full), entries are only removed sooner.
  void note_hits(Database& database) {
    const WithoutWaiting scope(database);
    try {
      Transaction transaction(database);
      read_total(database);
      mark_used(database);
      write_total(database);
      transaction.commit();
    } catch (const Error&) {
    }
    hit_.clear();
  }

  /// Hits are noted with the next batch, or when they are many, so that looking something up hardly ever writes.
  void mark_used(Database& database) {
    for (const std::int64_t id : hit_) {
      Statement& statement = database.statement("UPDATE entry SET used = ? WHERE id = ?");
      statement.bind_integer(1, ++used_);
      statement.bind_integer(2, id);
      statement.run();
    }
  }

  void make_room(Database& database) {
    const auto most = static_cast<std::int64_t>(options_.max_bytes);
    while (bytes_ > most) {
      Statement& statement = database.statement(
          "DELETE FROM entry WHERE id = (SELECT id FROM entry ORDER BY used, id LIMIT 1) RETURNING length(value)");
      const Rows resets_at_the_end(statement);
      if (!statement.step()) break;
      forget(statement.integer(0));
      ++stats_.evicted;
    }
  }

  void forget(std::int64_t size) {
    bytes_ -= size;
    --entries_;
  }

  void read_total(Database& database) {
    Statement& statement = database.statement("SELECT bytes, entries, used FROM total");
    const Rows resets_at_the_end(statement);
    if (!statement.step()) throw Error(Errc::corrupt_store, "cache.db: the total is missing; delete the file");
    bytes_ = statement.integer(0);
    entries_ = statement.integer(1);
    used_ = statement.integer(2);
  }

  void write_total(Database& database) {
    Statement& statement = database.statement("UPDATE total SET bytes = ?, entries = ?, used = ?");
    statement.bind_integer(1, bytes_);
    statement.bind_integer(2, entries_);
    statement.bind_integer(3, used_);
    statement.run();
  }

  const CacheOptions options_;
  CacheStats stats_;
  std::vector<std::int64_t> hit_;  // ids since they were noted last
  std::int64_t bytes_ = 0;
  std::int64_t entries_ = 0;
  std::int64_t used_ = 0;
};

/// A damaged cache holds nothing worth keeping.
std::shared_ptr<sqlite::SideDatabase> open_or_replace(const std::filesystem::path& folder) {
  try {
    return std::make_shared<sqlite::SideDatabase>(folder, kSchema);
  } catch (const Error& error) {
    if (error.errc() != Errc::corrupt_store) throw;
  }
  for (const char* file : {"cache.db", "cache.db-journal"}) {
    std::error_code ignored;
    std::filesystem::remove(folder / file, ignored);
  }
  return std::make_shared<sqlite::SideDatabase>(folder, kSchema);
}

class SqliteCache final : public Cache {
 public:
  SqliteCache(Pool pool, const std::filesystem::path& folder, CacheOptions options)
      : pool_(std::move(pool)), side_(open_or_replace(folder)), tables_(std::make_shared<CacheTables>(options)) {}

 private:
  Task<std::vector<std::optional<std::string>>> do_get(CacheKind kind, std::vector<Hash128> keys,
                                                       CallContext context) override {
    auto job = [tables = tables_, kind, keys = std::move(keys)](Database& database) {
      return tables->get(database, kind, keys);
    };
    const Lane lane = context.lane();
    return sqlite::on_side_database<std::vector<std::optional<std::string>>>(side_, pool_, lane, std::move(job),
                                                                             std::move(context));
  }

  Task<void> do_put(CacheKind kind, std::vector<CacheEntry> entries, std::optional<std::chrono::seconds> time_to_live,
                    CallContext context) override {
    auto job = [tables = tables_, kind, entries = std::move(entries), time_to_live](Database& database) {
      tables->put(database, kind, entries, time_to_live);
    };
    return sqlite::on_side_database<void>(side_, pool_, Lane::background, std::move(job), std::move(context));
  }

  Task<CacheStats> do_stats(CallContext context) override {
    auto job = [tables = tables_](Database& database) { return tables->stats(database); };
    return sqlite::on_side_database<CacheStats>(side_, pool_, Lane::background, std::move(job), std::move(context));
  }

  const Pool pool_;
  const std::shared_ptr<sqlite::SideDatabase> side_;
  const std::shared_ptr<CacheTables> tables_;
};

}  // namespace

std::shared_ptr<Cache> sqlite_cache(Pool pool, const std::filesystem::path& folder, CacheOptions options) {
  return std::make_shared<SqliteCache>(std::move(pool), folder, options);
}

}  // namespace ragstone
