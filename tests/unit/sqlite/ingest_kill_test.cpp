#include "support/rounds.hpp"
#include "support/temporary_folder.hpp"
#include "unit/sqlite/ingest_case.hpp"

#include <atomic>
#include <csignal>
#include <fstream>
#include <iostream>
#include <random>
#include <stdexcept>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ragstone::test {
namespace {

void write_dataset(const std::filesystem::path& folder) {
  for (int file = 0; file < 20; ++file) {
    std::ofstream out(folder / (std::to_string(file) + ".txt"));
    for (int i = 0; i < 60; ++i)
      out << "Sentence number " << i << " of the file " << file << " speaks of momentum, gradients and rates.\n"
          << "第" << file << "个文件的第" << i << "句话讲的是动量法和梯度下降的学习率。\n";
  }
}

/// Runs an ingest in a child process and kills it once its embedder was given so many texts; how many it was given in
/// all by then. It may end before.
std::size_t texts_before_kill(const std::filesystem::path& dataset, const std::filesystem::path& store,
                              std::size_t kill_after) {
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
  std::size_t texts = 0;
  unsigned char byte = 0;
  while (::read(ends[0], &byte, 1) == 1) {
    texts += byte;
    if (texts >= kill_after) ::kill(process, SIGKILL);
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(process, &status, 0);
  return texts;
}

// A process that is killed in the middle of an ingest repeats only the embedding calls that were in flight.
TEST(IngestKill, RepeatsOnlyTheEmbeddingCallsInFlight) {
  const TemporaryFolder dataset;
  write_dataset(dataset.path());
  std::atomic<std::size_t> all = 0;
  {
    const TemporaryFolder whole;
    ingest(dataset.path(), whole.path() / "kb", [&all](std::size_t texts) { all += texts; });
  }
  ASSERT_GT(all, 100u);
  std::mt19937 random(11);
  for (std::size_t round = 0; round < rounds(4); ++round) {
    const TemporaryFolder folder;
    const std::size_t before = texts_before_kill(dataset.path(), folder.path() / "kb", 1 + random() % all);
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

}  // namespace
}  // namespace ragstone::test
