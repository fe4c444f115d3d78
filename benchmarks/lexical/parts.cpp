#include "lexical/parts.hpp"

#include "store/segment/image_sink.hpp"
#include "support/sqlite_peer.hpp"
#include <ragstone/text/analyzer.hpp>

#include <ctime>

#include <sqlite3.h>

namespace ragstone::bench {
namespace {

constexpr std::size_t kCommitTexts = 1000;
constexpr std::size_t kFanOut = 8;

/// Parts by level: each of level n was merged from eight of level n - 1.
class Levels {
 public:
  void add(segment::SparseView view, std::size_t level = 0) {
    if (levels_.size() <= level) levels_.emplace_back();
    levels_[level].push_back(std::move(view));
    if (levels_[level].size() < kFanOut) return;
    const std::vector<segment::SparseView> full = std::move(levels_[level]);
    levels_[level].clear();
    add(merge(full), level + 1);
  }

  segment::SparseView merge_all() const {
    std::vector<segment::SparseView> all;
    for (const auto& level : levels_) all.insert(all.end(), level.begin(), level.end());
    return merge(all);
  }

 private:
  static segment::SparseView merge(const std::vector<segment::SparseView>& parts) {
    segment::StringSink image;
    segment::merge_sparse(1, parts, image, {});
    return {std::make_shared<const segment::SparsePart>(segment::heap_image(std::move(image).take())), {}};
  }

  std::vector<std::vector<segment::SparseView>> levels_;
};

/// The texts of one commit.
std::vector<std::string> make_texts(const TextOf& text_of, std::size_t begin, std::size_t end) {
  std::vector<std::string> texts;
  for (std::size_t n = begin; n < end; ++n) texts.push_back(text_of(n));
  return texts;
}

}  // namespace

double thread_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

LexicalIndex build_lexical_index(const TextOf& text_of, std::size_t count) {
  const auto analyzer = standard_analyzer();
  LexicalIndex index;
  Levels levels;
  for (std::size_t begin = 0; begin < count; begin += kCommitTexts) {
    const std::vector<std::string> texts = make_texts(text_of, begin, std::min(begin + kCommitTexts, count));
    const double start = thread_seconds();
    SparseVectors vectors;
    std::vector<segment::SparseRow> rows;
    for (std::uint32_t i = 0; i < texts.size(); ++i) {
      std::uint32_t length = 0;
      analyzer->visit(texts[i], [&](std::string_view term, Span, std::uint32_t) {
        vectors.add(term);
        ++length;
      });
      vectors.end_vector();
      rows.push_back({{begin + i + 1, 1, {}}, &vectors, i, length});
      index.text_bytes += texts[i].size();
      index.totals.tokens += length;
    }
    index.analyzer_seconds += thread_seconds() - start;
    levels.add({std::make_shared<const segment::SparsePart>(segment::heap_image(segment::build_sparse(1, rows))), {}});
    index.total_seconds += thread_seconds() - start;
  }
  const double start = thread_seconds();
  index.parts.push_back(levels.merge_all());
  index.total_seconds += thread_seconds() - start;
  index.totals.nodes = count;
  index.index_bytes = index.parts.front().part->container().size();
  return index;
}

struct Fts5Index::State {
  explicit State(const std::string& path) : database(path, PlainDatabase::Access::write) {}
  PlainDatabase database;
  sqlite3_stmt* query = nullptr;
};

Fts5Index::Fts5Index(const std::string& path, const std::string& tokenizer) : state_(std::make_unique<State>(path)) {
  state_->database.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;");
  state_->database.execute("CREATE VIRTUAL TABLE t USING fts5(text, content='', tokenize='" + tokenizer + "')");
}

Fts5Index::~Fts5Index() { ::sqlite3_finalize(state_->query); }

double Fts5Index::build(const TextOf& text_of, std::size_t count) {
  sqlite3_stmt* insert = nullptr;
  ::sqlite3_prepare_v2(state_->database.handle(), "INSERT INTO t(rowid, text) VALUES(?1, ?2)", -1, &insert, nullptr);
  double seconds = 0;
  for (std::size_t begin = 0; begin < count; begin += kCommitTexts) {
    const std::vector<std::string> texts = make_texts(text_of, begin, std::min(begin + kCommitTexts, count));
    const double start = thread_seconds();
    state_->database.execute("BEGIN");
    for (std::size_t i = 0; i < texts.size(); ++i) {
      ::sqlite3_bind_int64(insert, 1, static_cast<sqlite3_int64>(begin + i + 1));
      ::sqlite3_bind_text(insert, 2, texts[i].data(), static_cast<int>(texts[i].size()), SQLITE_STATIC);
      ::sqlite3_step(insert);
      ::sqlite3_reset(insert);
    }
    state_->database.execute("COMMIT");
    seconds += thread_seconds() - start;
  }
  ::sqlite3_finalize(insert);
  ::sqlite3_prepare_v2(state_->database.handle(), "SELECT rowid FROM t WHERE t MATCH ?1 ORDER BY rank LIMIT 10", -1,
                       &state_->query, nullptr);
  return seconds;
}

std::size_t Fts5Index::search(const std::vector<std::string>& words) const {
  std::string match;
  for (const std::string& word : words) match += (match.empty() ? "\"" : " OR \"") + word + '"';
  ::sqlite3_bind_text(state_->query, 1, match.data(), static_cast<int>(match.size()), SQLITE_STATIC);
  std::size_t hits = 0;
  while (::sqlite3_step(state_->query) == SQLITE_ROW) ++hits;
  ::sqlite3_reset(state_->query);
  return hits;
}

}  // namespace ragstone::bench
