#include "store/sqlite/database.hpp"

#include "support/data.hpp"
#include "support/errors.hpp"
#include "support/temporary_folder.hpp"
#include "support/unprivileged.hpp"
#include <ragstone/base/error.hpp>

#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include <boost/system/system_error.hpp>
#include <gtest/gtest.h>

namespace ragstone::sqlite {
namespace {

using test::error_of;
namespace fs = std::filesystem;

class SqliteDatabase : public testing::Test {
 protected:
  fs::path file() const { return folder_.path() / "a folder, 100%? #1.db"; }
  Database made() const { return made(file()); }
  static Database made(const fs::path& file) {
    Database db(file, OpenMode::create);
    db.execute("PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER PRIMARY KEY, value BLOB) STRICT");
    return db;
  }
  static std::int64_t count(Database& db) {
    Statement& statement = db.statement("SELECT count(*) FROM t");
    Rows rows(statement);
    return rows.next() ? statement.integer(0) : -1;
  }
  static void insert(Database& db, std::string_view value) {
    Statement& statement = db.statement("INSERT INTO t (value) VALUES (?)");
    statement.bind_blob(1, value);
    statement.run();
  }

  test::TemporaryFolder folder_;
};

TEST_F(SqliteDatabase, GivesBackTheValuesItWasGiven) {
  Database db = made();
  Statement& statement = db.statement("SELECT ?, ?, ?, ?, ?, ?");
  const std::string_view text = "石头 \0 end";
  statement.bind_integer(1, std::numeric_limits<std::int64_t>::min());
  statement.bind_real(2, -0.1);
  statement.bind_text(3, text);
  statement.bind_blob(4, std::string_view("\0\xff", 2));
  statement.bind_null(5);
  statement.bind_blob(6, {});
  Rows rows(statement);
  ASSERT_TRUE(rows.next());
  EXPECT_EQ(statement.columns(), 6);
  EXPECT_EQ(statement.integer(0), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(statement.real(1), -0.1);
  EXPECT_EQ(statement.text(2), text);
  EXPECT_EQ(statement.blob(3), std::string_view("\0\xff", 2));
  EXPECT_TRUE(statement.is_null(4));
  EXPECT_EQ(statement.text(4), "");
  EXPECT_FALSE(statement.is_null(5));
  EXPECT_EQ(statement.blob(5), "");
  EXPECT_FALSE(rows.next());
}

TEST_F(SqliteDatabase, PreparesEachTextOnceAndReturnsItUnbound) {
  Database db = made();
  insert(db, "x");
  Statement& first = db.statement("SELECT value FROM t WHERE id = ?");
  first.bind_integer(1, 1);
  EXPECT_TRUE(first.step());
  const std::string again = "SELECT value FROM t WHERE id = ?";
  Statement& second = db.statement(again);
  EXPECT_EQ(&first, &second);
  EXPECT_FALSE(second.step());
}

TEST_F(SqliteDatabase, CountsChangesAndTellsTheLastRow) {
  Database db = made();
  insert(db, "x");
  insert(db, "y");
  EXPECT_EQ(db.last_row_id(), 2);
  db.statement("UPDATE t SET value = NULL").run();
  EXPECT_EQ(db.changes(), 2);
}

TEST_F(SqliteDatabase, ReadsPiecesOfABlob) {
  Database db = made();
  std::string value;
  for (int i = 0; i < 20'000; ++i) value += std::to_string(i) + ' ';
  insert(db, value);
  std::string pieces = "pieces: ";
  EXPECT_TRUE(db.append_blob("t", "value", 1, 90'000, 11, pieces));
  EXPECT_TRUE(db.append_blob("t", "value", 1, 0, 4, pieces));
  EXPECT_EQ(pieces, "pieces: " + value.substr(90'000, 11) + value.substr(0, 4));
  for (const auto& [row, offset, size] :
       {std::tuple(2, 0u, 1u), std::tuple(1, 200'000u, 1u), std::tuple(1, 0u, 4'000'000'000u)})
    EXPECT_FALSE(db.append_blob("t", "value", row, offset, size, pieces));
  EXPECT_EQ(pieces.size(), 23u);
}

TEST_F(SqliteDatabase, APathThatIsTooLongIsToldAsSuch) {
  fs::path folder = folder_.path();
  for (int i = 0; i < 3; ++i) folder /= std::string(200, 'x');
  fs::create_directories(folder);
  const Error error = error_of([&] { Database(folder / "a.db", OpenMode::create); });
  EXPECT_EQ(error.errc(), Errc::io_error);
  EXPECT_NE(std::string(error.what()).find("the path is too long"), std::string::npos) << error.what();
}

TEST_F(SqliteDatabase, CanBeMovedWithItsStatements) {
  Database db = made();
  insert(db, "x");
  Database other = std::move(db);
  EXPECT_EQ(count(other), 1);
  Database third(file(), OpenMode::read);
  third = std::move(other);
  insert(third, "y");
  EXPECT_EQ(count(third), 2);
}

TEST_F(SqliteDatabase, TransactionThatIsNotCommittedLeavesNothing) {
  Database db = made();
  {
    Transaction transaction(db);
    EXPECT_TRUE(db.in_transaction());
    insert(db, "x");
  }
  EXPECT_FALSE(db.in_transaction());
  EXPECT_EQ(count(db), 0);
  Transaction transaction(db);
  insert(db, "y");
  transaction.commit();
  EXPECT_FALSE(db.in_transaction());
  EXPECT_EQ(count(db), 1);
}

TEST_F(SqliteDatabase, SecondWriterIsLockedOutWhileReadersGoOn) {
  Database db = made();
  insert(db, "x");
  Database other(file(), OpenMode::write);
  Database reader(file(), OpenMode::read);
  Transaction transaction(db);
  insert(db, "y");
  EXPECT_EQ(error_of([&] { Transaction second(other); }).errc(), Errc::locked);
  EXPECT_EQ(count(reader), 1);
  transaction.commit();
  EXPECT_EQ(count(reader), 2);
}

TEST_F(SqliteDatabase, AbandonedRowsLetTheReaderSeeLaterCommits) {
  Database db = made();
  insert(db, "x");
  insert(db, "y");
  Database reader(file(), OpenMode::read);
  {
    Statement& statement = reader.statement("SELECT value FROM t");
    Rows rows(statement);
    ASSERT_TRUE(rows.next());
    insert(db, "z");
    EXPECT_EQ(count(reader), 2);
  }
  EXPECT_EQ(count(reader), 3);
}

TEST_F(SqliteDatabase, ReaderCannotWrite) {
  made();
  Database reader(file(), OpenMode::read);
  EXPECT_EQ(error_of([&] { insert(reader, "x"); }).errc(), Errc::io_error);
}

// F10
TEST_F(SqliteDatabase, ImmutableReadsAReadOnlyFolder) {
  if (test::rerun_unprivileged()) return;
  const test::TemporaryFolder own;  // The fixture's may belong to root.
  const fs::path file = own.path() / "50% off?.db";
  {
    Database db = made(file);
    insert(db, "x");
  }
  fs::permissions(own.path(), fs::perms::owner_read | fs::perms::owner_exec);
  fs::permissions(file, fs::perms::owner_read);
  {
    Database db(file, OpenMode::immutable);
    EXPECT_EQ(count(db), 1);
  }
  EXPECT_EQ(error_of([&] { Database(file, OpenMode::write); }).errc(), Errc::io_error);
  EXPECT_EQ(error_of([&] { Database(own.path() / "new.db", OpenMode::create); }).errc(), Errc::io_error);
  fs::permissions(own.path(), fs::perms::owner_all);
}

TEST_F(SqliteDatabase, OnlyCreateMakesAFile) {
  for (const OpenMode mode : {OpenMode::write, OpenMode::read, OpenMode::immutable}) {
    const Error error = error_of([&] { Database(file(), mode); });
    EXPECT_EQ(error.errc(), Errc::io_error);
    EXPECT_NE(std::string(error.what()).find(file().native()), std::string::npos) << error.what();
  }
  EXPECT_FALSE(fs::exists(file()));
}

TEST_F(SqliteDatabase, OpensThroughALinkedFolderButNotALinkedFile) {
  made();
  fs::create_symlink(folder_.path(), folder_.path() / "link");
  fs::create_symlink(file(), folder_.path() / "link.db");
  Database db(folder_.path() / "link" / file().filename(), OpenMode::write);
  EXPECT_EQ(count(db), 0);
  EXPECT_EQ(error_of([&] { Database(folder_.path() / "link.db", OpenMode::write); }).errc(), Errc::io_error);
}

// F7
TEST_F(SqliteDatabase, SaysThatAFileIsNoDatabase) {
  folder_.write(file().filename(), std::string(8192, 'x'));
  const Error error = error_of([&] {
    Database db(file(), OpenMode::read);
    count(db);
  });
  EXPECT_EQ(error.errc(), Errc::corrupt_store);
}

TEST_F(SqliteDatabase, MessagesDoNotHoldValues) {
  Database db = made();
  Statement& statement = db.statement("INSERT INTO t (id, value) VALUES (?, ?)");
  statement.bind_text(1, "a secret");
  statement.bind_blob(2, "another secret");
  const Error error = error_of([&] { statement.run(); });
  EXPECT_EQ(error.errc(), Errc::internal);
  EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos) << error.what();
  EXPECT_NE(std::string(error.what()).find("INSERT INTO t"), std::string::npos) << error.what();
}

TEST_F(SqliteDatabase, AStopRequestEndsALongStatement) {
  Database db = made();
  std::stop_source source;
  source.request_stop();
  const StopToken stop = source.get_token();
  {
    const Interruption interruption(db, stop);
    try {
      db.execute("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n");
      FAIL() << "was not interrupted";
    } catch (const boost::system::system_error& error) {
      EXPECT_EQ(error.code(), boost::system::errc::operation_canceled);
    }
  }
  EXPECT_EQ(count(db), 0);
}

// S10: a store is data, never code.
TEST_F(SqliteDatabase, ObeysNoTriggerAndNoViewOfTheFile) {
  Database db = made();
  db.execute("CREATE TRIGGER more AFTER INSERT ON t BEGIN DELETE FROM t; END; CREATE VIEW v AS SELECT * FROM t");
  insert(db, "x");
  EXPECT_EQ(count(db), 1);
  EXPECT_EQ(error_of([&] { db.execute("SELECT * FROM v"); }).errc(), Errc::internal);
  EXPECT_EQ(error_of([&] { db.execute("SELECT load_extension('x')"); }).errc(), Errc::internal);
  EXPECT_EQ(error_of([&] { db.execute("SELECT \"no such column\" FROM t"); }).errc(), Errc::internal);
}

}  // namespace
}  // namespace ragstone::sqlite
