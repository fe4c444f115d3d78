#include "store/sqlite/reader_pool.hpp"

#include <ragstone/base/error.hpp>

#include <algorithm>
#include <exception>

namespace ragstone::sqlite {
namespace {

// A connection holds up to 2 MiB of pages.
constexpr std::size_t kMaxIdle = 8;

void end_transaction(Database& database) noexcept {
  try {
    database.statement("ROLLBACK").run();
  } catch (const std::exception&) {
    // The pool closes it.
  }
}

}  // namespace

ReaderPool::ReaderPool(std::filesystem::path file, OpenMode mode, std::string vfs,
                       std::chrono::milliseconds lock_timeout)
    : file_(std::move(file)),
      mode_(mode),
      vfs_(std::move(vfs)),
      lock_timeout_(std::max(lock_timeout, kMomentaryLocks)) {}

std::unique_ptr<Database> ReaderPool::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<Database> database = std::move(idle_.back());
      idle_.pop_back();
      return database;
    }
  }
  return std::make_unique<Database>(file_, mode_, vfs_.empty() ? nullptr : vfs_.c_str(), lock_timeout_);
}

void ReaderPool::give_back(std::unique_ptr<Database> database) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    if (!database->in_transaction() && idle_.size() < kMaxIdle) idle_.push_back(std::move(database));
  } catch (const std::bad_alloc&) {
    // It is closed instead.
  }
}

LongReader::LongReader(ReaderPool& pool) : pool_(pool), database_(pool.take()) { database_->execute("BEGIN"); }

LongReader::~LongReader() {
  end_transaction(*database_);
  pool_.give_back(std::move(database_));
}

ReaderSet::ReaderSet(std::shared_ptr<ReaderPool> pool, Generation generation)
    : pool_(std::move(pool)), generation_(generation) {}

ReaderSet::~ReaderSet() { end_transactions(); }

void ReaderSet::end_transactions() noexcept {
  for (std::unique_ptr<Database>& database : idle_) {
    end_transaction(*database);
    pool_->give_back(std::move(database));
  }
  idle_.clear();
}

bool ReaderSet::hold() {
  const std::lock_guard lock(mutex_);
  if (holders_ == 0 && taken_ == 0) {
    std::unique_ptr<Database> database = open();
    if (!database) return false;
    idle_.reserve(1);
    idle_.push_back(std::move(database));
    taken_ = 1;
  }
  ++holders_;
  return true;
}

void ReaderSet::release() noexcept {
  const std::lock_guard lock(mutex_);
  if (--holders_ > 0) return;
  taken_ -= idle_.size();
  end_transactions();
}

void ReaderSet::adopt(std::unique_ptr<Database> database) {
  const std::lock_guard lock(mutex_);
  idle_.reserve(taken_ + 1);
  ++taken_;
  idle_.push_back(std::move(database));
}

std::unique_ptr<Database> ReaderSet::take() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (!idle_.empty()) {
      std::unique_ptr<Database> database = std::move(idle_.back());
      idle_.pop_back();
      return database;
    }
    if (!moved_on_) {
      lock.unlock();
      std::unique_ptr<Database> database = open();
      lock.lock();
      if (database) {
        idle_.reserve(taken_ + 1);  // So that give_back() needs no memory.
        ++taken_;
        return database;
      }
      moved_on_ = true;
    } else if (taken_ == 0) {
      throw Error(Errc::io_error, "read store: an error of the medium ended the reading of generation " +
                                      std::to_string(generation_) + "; take a new snapshot");
    } else {
      returned_.wait(lock, [this] { return !idle_.empty() || taken_ == 0; });
    }
  }
}

std::unique_ptr<Database> ReaderSet::open() {
  std::unique_ptr<Database> database = pool_->take();
  database->statement("BEGIN").run();
  Statement& state = database->statement("SELECT max(generation) FROM commit_log");
  Rows rows(state);
  if (rows.next() && static_cast<Generation>(state.integer(0)) == generation_) return database;
  state.reset();
  database->statement("ROLLBACK").run();
  pool_->give_back(std::move(database));
  return nullptr;
}

void ReaderSet::give_back(std::unique_ptr<Database> database) noexcept {
  // SQLite ends the transaction of a reader that met an I/O error: its next statement would see a newer generation.
  const bool sees_generation = database->in_transaction();
  {
    const std::lock_guard lock(mutex_);
    if (sees_generation) {
      idle_.push_back(std::move(database));
    } else {
      --taken_;
    }
  }
  returned_.notify_all();
}

}  // namespace ragstone::sqlite
