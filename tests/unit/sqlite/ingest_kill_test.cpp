#include "support/rounds.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_embedders.hpp"
#include "unit/sqlite/ingest_case.hpp"
#include <ragstone/ragstone.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ragstone::test {
namespace {

namespace fs = std::filesystem;

/// Texts by source.
using Texts = std::map<std::string, std::string>;

std::string name_of_file(int number) { return std::to_string(number) + ".txt"; }

std::string text_of_file(int file, const std::string& subject) {
  std::string text;
  for (int i = 0; i < 60; ++i)
    text += "Sentence number " + std::to_string(i) + " of the file " + std::to_string(file) + " speaks of " + subject +
            ", gradients and rates.\n第" + std::to_string(file) + "个文件的第" + std::to_string(i) +
            "句话讲的是动量法和梯度下降的学习率。\n";
  return text;
}

Texts old_texts() {
  Texts texts;
  for (int file = 0; file < 20; ++file) texts[name_of_file(file)] = text_of_file(file, "momentum");
  return texts;
}

/// Some as before, some with other or more sentences, some new; three are gone.
Texts new_texts() {
  Texts texts = old_texts();
  for (int file = 5; file < 10; ++file) texts[name_of_file(file)] = text_of_file(file, "patience");
  for (int file = 10; file < 15; ++file) texts[name_of_file(file)].insert(0, "One more sentence. 又一句话。\n");
  for (int file = 15; file < 18; ++file) texts.erase(name_of_file(file));
  for (int file = 20; file < 25; ++file) texts[name_of_file(file)] = text_of_file(file, "momentum");
  return texts;
}

void write_dataset(const TemporaryFolder& folder, const Texts& texts) {
  for (const auto& [id, text] : texts) folder.write(id, text);
}

/// What a child told before it ended.
struct Told {
  std::size_t texts = 0;         ///< Given to its embedder.
  std::size_t messages = 0;      ///< Of these calls and of sources.
  std::set<std::string> stored;  ///< Sources.
};

/// Runs an ingest in a child process, and kills it once what it told is enough: when it tells more, but after so long
/// (below a second) at the latest. It may end before.
Told ingest_killed(const fs::path& dataset, const fs::path& store, const std::function<bool(const Told&)>& is_enough,
                   std::chrono::microseconds pause = {}) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  std::string program = RAGSTONE_INGEST_CHILD;
  std::string arguments[] = {dataset.string(), store.string()};
  char* const pointers[] = {program.data(), arguments[0].data(), arguments[1].data(), nullptr};
  pid_t process = 0;
  const int error = ::posix_spawn(&process, program.c_str(), &actions, nullptr, pointers, environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  if (error != 0) throw std::runtime_error("posix_spawn");
  Told told;
  bool killed = false;
  unsigned char byte = 0;
  while (::read(ends[0], &byte, 1) == 1) {
    ++told.messages;
    if (byte < 64) {
      told.texts += byte;
    } else {
      told.stored.insert(name_of_file(byte - 64));
    }
    if (killed || !is_enough(told)) continue;
    const ::timespec most{0, std::chrono::nanoseconds(pause).count()};
    pollfd more{ends[0], POLLIN, 0};
    ::ppoll(&more, 1, &most, nullptr);
    ::kill(process, SIGKILL);
    killed = true;
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(process, &status, 0);
  return told;
}

// A process that is killed in the middle of an ingest repeats only the embedding calls that were in flight.
TEST(IngestKill, RepeatsOnlyTheEmbeddingCallsInFlight) {
  const TemporaryFolder dataset;
  write_dataset(dataset, old_texts());
  std::atomic<std::size_t> all = 0;
  {
    const TemporaryFolder whole;
    ingest(dataset.path(), whole.path() / "kb", [&all](std::size_t texts) { all += texts; });
  }
  ASSERT_GT(all, 100u);
  std::mt19937 random(11);
  for (std::size_t round = 0; round < rounds(4); ++round) {
    const TemporaryFolder folder;
    const std::size_t enough = 1 + random() % all;
    const std::size_t before = ingest_killed(dataset.path(), folder.path() / "kb", [enough](const Told& told) {
                                 return told.texts >= enough;
                               }).texts;
    std::atomic<std::size_t> after = 0;
    ingest(dataset.path(), folder.path() / "kb", [&after](std::size_t texts) { after += texts; });
    EXPECT_LE(before + after, all + kTextsInFlight) << "of " << all << " texts, " << before << " before the kill";
    EXPECT_GE(before + after, all);
    std::atomic<std::size_t> again = 0;
    ingest(dataset.path(), folder.path() / "kb", [&again](std::size_t texts) { again += texts; });
    EXPECT_EQ(again, 0u);
    std::cout << all << " texts, " << before << " before the kill, " << after << " after it\n";
  }
}

/// What a store holds: by source its text, and the texts of its chunks.
struct Held {
  Texts texts;
  std::map<std::string, std::vector<std::string>> chunks;
};

/// Expects a store to be sound, all that is in it to be ready, and each chunk to have its vector.
Held expect_sound_store(const fs::path& store) {
  Runtime runtime;
  const auto embedder = std::make_shared<CountingEmbedder>();
  DocumentOptions options;
  options.store = sqlite_store(store);
  options.embedders[kIngestKey] = embedder;
  Document document = runtime.run(Document::open(runtime, options));
  for (const StoreFinding& finding : runtime.run(document.verify()).findings)
    ADD_FAILURE() << finding.object << ": " << finding.problem;
  Held held;
  for (const SourceStatus& status : runtime.run(document.sources())) {
    EXPECT_EQ(status.state, SourceState::ready) << status.id << ": " << status.reason;
    held.texts[status.id] = runtime.run(document.text(status.id));
    NodeQuery query;
    query.group = kFineChunk;
    query.source = status.id;
    for (const Node& node : runtime.run(document.nodes(query))) held.chunks[status.id].push_back(node.text);
  }
  runtime.run(document.build(kFineChunk, {kIngestKey}));
  EXPECT_EQ(embedder->texts(), 0u) << "chunks without a vector";
  runtime.run(document.close());
  return held;
}

/// Which is what `whole` holds.
void expect_same(const Held& held, const Held& whole, const std::string& id) {
  const auto text = held.texts.find(id);
  ASSERT_EQ(text != held.texts.end(), whole.texts.contains(id)) << id;
  if (text == held.texts.end()) return;
  EXPECT_EQ(text->second, whole.texts.at(id)) << id;
  EXPECT_EQ(held.chunks.at(id), whole.chunks.at(id)) << id;
}

struct Sides {
  std::size_t old_sources = 0;
  std::size_t new_sources = 0;
};

/// Each source that differs between the two is one or the other, and what was told to be stored is new.
void expect_old_or_new(const Held& held, const Held& before, const Held& after, const Told& told, Sides& sides) {
  for (const auto& [id, text] : held.texts) EXPECT_TRUE(before.texts.contains(id) || after.texts.contains(id)) << id;
  Texts all = before.texts;
  all.insert(after.texts.begin(), after.texts.end());
  for (const auto& [id, text] : all) {
    const auto found = held.texts.find(id);
    const auto wanted = after.texts.find(id);
    const bool is_new = found == held.texts.end() ? wanted == after.texts.end()
                                                  : wanted != after.texts.end() && found->second == wanted->second;
    EXPECT_TRUE(is_new || !told.stored.contains(id)) << id << " was stored, and is lost";
    expect_same(held, is_new ? after : before, id);
    ++(is_new ? sides.new_sources : sides.old_sources);
  }
}

// IX-2
TEST(IngestKill, LeavesEachSourceOldOrNewAsAWhole) {
  const TemporaryFolder old_dataset;
  write_dataset(old_dataset, old_texts());
  const TemporaryFolder dataset;
  write_dataset(dataset, new_texts());
  const TemporaryFolder stores;
  const fs::path old_store = stores.path() / "old";
  const fs::path new_store = stores.path() / "new";
  ingest(old_dataset.path(), old_store, [](std::size_t) {});
  const Held before = expect_sound_store(old_store);
  fs::copy(old_store, new_store, fs::copy_options::recursive);
  const Told whole = ingest_killed(dataset.path(), new_store, [](const Told&) { return false; });
  const Held after = expect_sound_store(new_store);
  ASSERT_EQ(before.texts, old_texts());
  ASSERT_EQ(after.texts, new_texts());
  ASSERT_EQ(whole.stored.size(), 22u) << "which are all that there are";

  std::mt19937 random(12);
  Sides sides;
  for (std::size_t round = 0; round < rounds(8) && !HasFailure(); ++round) {
    const std::size_t enough = 1 + random() % whole.messages;
    const std::chrono::microseconds pause(random() % 5'000);
    SCOPED_TRACE("round " + std::to_string(round) + ", killed after " + std::to_string(enough) + " messages and " +
                 std::to_string(pause.count()) + " us");
    const TemporaryFolder folder;
    const fs::path store = folder.path() / "kb";
    fs::copy(old_store, store, fs::copy_options::recursive);
    const Told told = ingest_killed(
        dataset.path(), store, [enough](const Told& so_far) { return so_far.messages >= enough; }, pause);
    expect_old_or_new(expect_sound_store(store), before, after, told, sides);
    ingest(dataset.path(), store, [](std::size_t) {});
    const Held finished = expect_sound_store(store);
    EXPECT_EQ(finished.texts, after.texts);
    EXPECT_EQ(finished.chunks, after.chunks);
  }
  std::cout << sides.old_sources << " sources were found as before, " << sides.new_sources << " as afterwards\n";
  EXPECT_GT(sides.old_sources, 0u);
  EXPECT_GT(sides.new_sources, 0u);
}

}  // namespace
}  // namespace ragstone::test
