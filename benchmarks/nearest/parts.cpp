#include "nearest/parts.hpp"

#include "nearest/store.hpp"
#include "support/sqlite_peer.hpp"
#include <ragstone/store/sqlite_engine.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <vector>

#include <sqlite3.h>

namespace ragstone::bench {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kHits = 10;
constexpr std::size_t kMore = 20;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

class Opened {
 public:
  virtual ~Opened() = default;
  /// Numbers of rows.
  virtual std::vector<std::uint32_t> ask(const VectorSet& set, std::size_t query) = 0;
};

class OpenedStore final : public Opened {
 public:
  explicit OpenedStore(const fs::path& folder) : engine_(sqlite_engine(folder)), at_(engine_->snapshot()) {}

  std::vector<std::uint32_t> ask(const VectorSet& set, std::size_t query) override {
    const VectorHits hits = at_->search_vectors(search_for(set, query));
    std::vector<std::uint32_t> rows;
    for (const ScoredNode& hit : hits.hits[0]) rows.push_back(row_of(hit.id));
    return rows;
  }

 private:
  const std::shared_ptr<StoreEngine> engine_;
  const std::shared_ptr<const StoreSnapshot> at_;
};

class SqliteVec final : public Opened {
 public:
  explicit SqliteVec(const fs::path& file) : database_(file, PlainDatabase::Access::write) {
    const char* extension = std::getenv("RAGSTONE_SQLITE_VEC");
    if (extension == nullptr) throw std::runtime_error("RAGSTONE_SQLITE_VEC names no extension");
    ::sqlite3_db_config(database_.handle(), SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, nullptr);
    if (::sqlite3_load_extension(database_.handle(), extension, nullptr, nullptr) != SQLITE_OK)
      throw std::runtime_error(std::string("cannot load ") + extension);
  }
  ~SqliteVec() override { ::sqlite3_finalize(statement_); }

  void fill(const VectorSet& set) {
    database_.execute(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; CREATE VIRTUAL TABLE v USING vec0(id INTEGER "
        "PRIMARY KEY, embedding float[" +
        std::to_string(set.dimension) + "] distance_metric=cosine); BEGIN");
    prepare("INSERT INTO v(id, embedding) VALUES(?1, ?2)");
    for (std::size_t row = 0; row < set.rows(); ++row) {
      ::sqlite3_bind_int64(statement_, 1, static_cast<sqlite3_int64>(row));
      bind(2, set.row(row));
      if (::sqlite3_step(statement_) != SQLITE_DONE) throw std::runtime_error(::sqlite3_errmsg(database_.handle()));
      ::sqlite3_reset(statement_);
    }
    database_.execute("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
  }

  std::vector<std::uint32_t> ask(const VectorSet& set, std::size_t query) override {
    if (statement_ == nullptr) prepare("SELECT id FROM v WHERE embedding MATCH ?1 AND k = 10 ORDER BY distance");
    bind(1, set.query(query));
    std::vector<std::uint32_t> rows;
    while (::sqlite3_step(statement_) == SQLITE_ROW)
      rows.push_back(static_cast<std::uint32_t>(::sqlite3_column_int64(statement_, 0)));
    ::sqlite3_reset(statement_);
    return rows;
  }

 private:
  void prepare(const char* sql) {
    if (::sqlite3_prepare_v2(database_.handle(), sql, -1, &statement_, nullptr) != SQLITE_OK)
      throw std::runtime_error(::sqlite3_errmsg(database_.handle()));
  }
  void bind(int parameter, std::span<const float> vector) {
    ::sqlite3_bind_blob(statement_, parameter, vector.data(), static_cast<int>(vector.size_bytes()), SQLITE_STATIC);
  }

  PlainDatabase database_;
  sqlite3_stmt* statement_ = nullptr;
};

std::unique_ptr<Opened> open(const fs::path& folder, const std::string& peer) {
  if (peer == "ragstone") return std::make_unique<OpenedStore>(folder / peer);
  return std::make_unique<SqliteVec>(folder / peer / "vec.db");
}

}  // namespace

void build_peer(const fs::path& folder, const std::string& peer) {
  const VectorSet set = read_set(folder);
  fs::remove_all(folder / peer);
  const auto start = Clock::now();
  if (peer == "ragstone") {
    const auto engine = sqlite_engine(folder / peer);
    fill(*engine, set);
    engine->close();
  } else {
    fs::create_directory(folder / peer);
    SqliteVec(folder / peer / "vec.db").fill(set);
  }
  std::printf("{\"peer\": \"%s\", \"build\": %.3f}\n", peer.c_str(), milliseconds_since(start));
}

void open_peer(const fs::path& folder, const std::string& peer) {
  VectorSet set = read_shape(folder);
  set.queries = read_queries(folder);
  const std::vector<std::uint32_t> truth = read_truth(folder);
  const auto start = Clock::now();
  const std::unique_ptr<Opened> opened = open(folder, peer);
  if (opened->ask(set, 0).size() != kHits) throw std::runtime_error(peer + " found too little");
  const double first = milliseconds_since(start);
  for (std::size_t i = 1; i <= kMore; ++i) opened->ask(set, i);
  const double more = milliseconds_since(start);
  std::size_t right = 0;
  // A scan tells as much after a few.
  const std::size_t asked = peer == "ragstone" ? set.asked() : std::min<std::size_t>(set.asked(), 20);
  const auto asking = Clock::now();
  for (std::size_t i = 0; i < asked; ++i)
    for (const std::uint32_t row : opened->ask(set, i)) {
      const auto of_query = truth.begin() + static_cast<std::ptrdiff_t>(i * kHits);
      right += std::count(of_query, of_query + kHits, row) > 0 ? 1 : 0;
    }
  const double query = milliseconds_since(asking) / static_cast<double>(asked);
  const char* evicted = std::getenv("RAGSTONE_EVICTED");
  std::printf(
      "{\"peer\": \"%s\", \"evicted\": %s, \"first\": %.3f, \"more\": %.3f, \"query\": %.4f, \"recall\": %.4f}\n",
      peer.c_str(), evicted != nullptr && std::string(evicted) == "1" ? "true" : "false", first, more, query,
      static_cast<double>(right) / static_cast<double>(asked * kHits));
}

}  // namespace ragstone::bench
