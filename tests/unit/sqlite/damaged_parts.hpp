#pragma once

#include "store/segment/container.hpp"
#include "store/segment/file_system.hpp"
#include "support/store/samples.hpp"
#include "support/temporary_folder.hpp"
#include <ragstone/store/sqlite_engine.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {

namespace fs = std::filesystem;
using segment::SectionId;

inline constexpr int kSources = 60;
inline constexpr std::uint32_t kDimension = 512;
inline constexpr std::size_t kVectorBytes = kDimension * sizeof(float);

inline std::string id_of(int number) { return "source " + std::to_string(100 + number); }

/// One line that has the source's number, so that rows are in the order of the sources.
inline SourceWrite source_of(int number) {
  SourceWrite write = sample_lines(id_of(number), "river 河流 " + std::to_string(number) + "\n",
                                   {{"number", Scalar(std::int64_t{number})}});
  std::vector<float> vector(kDimension, 1);
  vector[0] = static_cast<float>(number);
  write.groups[1].dense.push_back(sample_vectors("e", "model", {vector}, kDimension));
  return write;
}

/// A closed store with one sealed part of vectors, postings and fields each.
class SqliteHealing : public testing::Test {
 protected:
  SqliteHealing() {
    open();
    engine_->declare_fields({{"number", FieldKind::integer}});
    for (int i = 0; i < kSources; ++i) {
      Commit commit;
      commit.sources.push_back(source_of(i));
      engine_->commit(std::move(commit));
    }
    engine_->close();
    engine_.reset();
  }

  void open() { engine_ = sqlite_engine(folder_, options_); }

  /// Flips all bits of some bytes of a section in the sealed part of a kind; SIZE_MAX: as far as it goes.
  void damage(segment::Kind kind, SectionId section, std::size_t from, std::size_t bytes) {
    std::size_t files = 0;
    for (const auto& file : fs::directory_iterator(folder_ / "segments")) {
      const auto image = segment::posix_file_system()->open(file.path(), false);
      std::size_t offset = 0;
      try {
        const segment::Container container(image, kind);
        offset = static_cast<std::size_t>(container.bytes(section).data() -
                                          reinterpret_cast<const char*>(image->bytes().data()));
        bytes = std::min(bytes, container.bytes(section).size() - from);
      } catch (const Error&) {
        continue;
      }
      ++files;
      std::fstream stream(file.path(), std::ios::in | std::ios::out | std::ios::binary);
      for (std::size_t i = 0; i < bytes; ++i) {
        const auto at = static_cast<std::streamoff>(offset + from + i);
        stream.seekg(at);
        const int byte = stream.get();
        stream.seekp(at);
        stream.put(static_cast<char>(byte ^ 0xFF));
      }
    }
    ASSERT_EQ(files, 1u);
  }

  /// Empty where there is no such file.
  static std::string bytes_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }

  static bool is_dense(segment::Kind kind) { return kind == segment::Kind::dense; }

  /// The sealed part of a kind.
  fs::path file_of(segment::Kind kind) const {
    for (const auto& file : fs::directory_iterator(folder_ / "segments")) try {
        const segment::Container container(segment::posix_file_system()->open(file.path(), false), kind);
        return file.path();
      } catch (const Error&) {
        continue;
      }
    return {};
  }

  void settle() {
    while (engine_->maintain()) {
    }
  }

  std::vector<std::string> pending(const char* key, const char* signature, bool lost_only = false) const {
    PendingQuery query;
    query.lost_only = lost_only;
    query.group = "line";
    query.signature = "spans/1";
    query.columns.push_back({key, signature});
    return engine_->snapshot()->pending(query);
  }

  /// The vectors that the store still has for the lines, by source.
  std::vector<std::vector<float>> vectors() const {
    std::vector<Hash128> contents;
    for (int i = 0; i < kSources; ++i) contents.push_back(source_of(i).groups[1].rows[0].content);
    return engine_->snapshot()->vectors("e", "model", contents);
  }

  /// Writes the column anew for these sources, as a Document does.
  void renew(const std::vector<std::string>& sources, bool dense) {
    for (const std::string& id : sources) {
      SourceWrite whole = source_of(std::stoi(id.substr(7)) - 100);
      GroupWrite write;
      write.source = id;
      write.content = whole.record.content;
      GroupRows columns = std::move(whole.groups[1]);
      columns.rows.clear();
      if (dense) {
        columns.sparse.clear();
      } else {
        columns.dense.clear();
      }
      write.columns.push_back(std::move(columns));
      Commit commit;
      commit.groups.push_back(std::move(write));
      engine_->commit(std::move(commit));
    }
  }

  std::set<std::string> found_by_terms(const Filter& filter = {}) const {
    const auto at = engine_->snapshot();
    const std::vector<TermWeight> terms = {{"river", 1}};
    std::set<std::string> sources;
    for (const ScoredNode& hit : at->search_terms("line", kBm25Key, terms, {}, filter, kSources)) {
      NodeQuery query;
      query.ids = {hit.id};
      sources.insert(at->nodes(query).at(0).source);
    }
    return sources;
  }

  /// Adds a source, which stays fresh, and heals the vectors of `count` others.
  void expect_new_source_kept(std::size_t count) {
    open();
    Commit commit;
    commit.sources.push_back(source_of(kSources));
    engine_->commit(std::move(commit));
    engine_->verify();
    ASSERT_TRUE(engine_->maintain());
    const std::vector<std::string> lost = pending("e", "model");
    EXPECT_EQ(lost.size(), count);
    EXPECT_EQ(std::count(lost.begin(), lost.end(), id_of(kSources)), 0);
    for (const bool reopened : {false, true}) {
      if (reopened) {
        engine_.reset();  // As a crash does.
        open();
      }
      EXPECT_EQ(pending("e", "model"), lost);
      EXPECT_EQ(engine_->snapshot()->text(id_of(kSources)), source_of(kSources).text);
      EXPECT_EQ(found_by_vectors(), kSources + 1 - count);
    }
    renew(lost, true);
    settle();
    EXPECT_EQ(found_by_vectors(), kSources + 1u);
    EXPECT_TRUE(engine_->verify().ok());
  }

  std::size_t found_by_vectors() const {
    const std::vector<float> query(kDimension, 1);
    return engine_->snapshot()->search_vectors("line", "e", query, Metric::inner_product, {}, 2 * kSources).size();
  }

  TemporaryFolder temporary_;
  fs::path folder_ = temporary_.path() / "kb";
  SqliteOptions options_;
  std::shared_ptr<StoreEngine> engine_;
};

}  // namespace ragstone::test
