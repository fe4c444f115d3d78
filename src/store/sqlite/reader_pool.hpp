#pragma once

#include "store/sqlite/database.hpp"
#include "store/sqlite/text_blocks.hpp"
#include <ragstone/base/ids.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace ragstone::sqlite {

/// Connections that read, with their prepared statements, kept for the next reader. Thread-safe.
class ReaderPool {
 public:
  /// `vfs` as for Database; empty: the default. `lock_timeout`: at least kMomentaryLocks is waited.
  ReaderPool(std::filesystem::path file, OpenMode mode, std::string vfs, std::chrono::milliseconds lock_timeout);

  std::unique_ptr<Database> take();
  /// The connection must be outside of a transaction, or it is closed.
  void give_back(std::unique_ptr<Database> database) noexcept;
  TextBlockCache& text_blocks() noexcept { return text_blocks_; }
  const std::string& vfs() const noexcept { return vfs_; }

 private:
  const std::filesystem::path file_;
  const OpenMode mode_;
  const std::string vfs_;
  const std::chrono::milliseconds lock_timeout_;
  TextBlockCache text_blocks_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Database>> idle_;
};

/// A reader in a transaction of its own, which sees one state of the database, whatever generation that is: for what
/// takes long, and so must not keep a reader of a ReaderSet from others.
class LongReader {
 public:
  /// The pool outlives it.
  explicit LongReader(ReaderPool& pool);
  ~LongReader();
  LongReader(const LongReader&) = delete;
  LongReader& operator=(const LongReader&) = delete;

  Database& operator*() const noexcept { return *database_; }

 private:
  ReaderPool& pool_;
  std::unique_ptr<Database> database_;
};

/// The readers of one generation: each holds a transaction that sees exactly it. Thread-safe.
class ReaderSet {
 public:
  ReaderSet(std::shared_ptr<ReaderPool> pool, Generation generation);
  ~ReaderSet();

  /// A reader for one thread. The set outlives it.
  class Lease {
   public:
    explicit Lease(ReaderSet& set) : set_(set), database_(set.take()) {}
    ~Lease() { set_.give_back(std::move(database_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    Database& operator*() const noexcept { return *database_; }

   private:
    ReaderSet& set_;
    std::unique_ptr<Database> database_;
  };

  /// Makes sure of one reader while the database still has the generation.
  void pin() { const Lease lease(*this); }
  /// Takes over a reader whose transaction sees the generation.
  void adopt(std::unique_ptr<Database> database);
  /// While anybody holds the set, it has a reader: hold() says false where the database has moved on, so that there is
  /// none any more. After as many calls of release() its transactions end: the writer's log may begin anew.
  bool hold();
  void release() noexcept;
  TextBlockCache& text_blocks() noexcept { return pool_->text_blocks(); }

 private:
  std::unique_ptr<Database> take();
  std::unique_ptr<Database> open();
  void give_back(std::unique_ptr<Database> database) noexcept;
  void end_transactions() noexcept;

  const std::shared_ptr<ReaderPool> pool_;
  const Generation generation_;
  std::mutex mutex_;
  std::condition_variable returned_;
  bool moved_on_ = false;  ///< The database has a newer generation: no more readers can be had.
  std::size_t taken_ = 0;
  std::size_t holders_ = 0;
  std::vector<std::unique_ptr<Database>> idle_;
};

}  // namespace ragstone::sqlite
