// C2: ten thousand questions in flight through a model server that takes 256 at once.

#include "support/http/scripted_server.hpp"
#include "support/process_use.hpp"
#include "support/rounds.hpp"
#include <ragstone/ragstone.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kCallers = 50;

/// What the callers share: how often each was answered, and when to stop.
class Tally {
 public:
  std::vector<std::size_t> answers = std::vector<std::size_t>(kCallers);
  std::size_t total = 0;
  std::size_t errors = 0;
  std::size_t enough = 0;
};

/// One of a caller's questions after the other, until there were enough of all callers together.
Task<void> keep_asking(Assistant assistant, std::size_t caller, Tally* tally) {
  while (tally->total < tally->enough) {
    try {
      const Answer answer =
          co_await assistant.ask("Which keys are rotated, asks caller " + std::to_string(caller) + "?");
      if (answer.text != "Keys [1].") ++tally->errors;
    } catch (const Error&) {
      ++tally->errors;
    }
    if (tally->total++ < tally->enough) ++tally->answers[caller];
  }
}

class Load : public testing::Test {
 protected:
  Load() {
    document = runtime.run(Document::open(runtime, DocumentOptions()));
    std::vector<Source> sources;
    for (int i = 0; i < 200; ++i)
      sources.emplace_back("s" + std::to_string(i),
                           "Text " + std::to_string(i) + " says that keys are rotated. 密钥。");
    runtime.run(document.add_all(sources));
    ModelServerOptions options(provider_profile("vllm"));
    options.base_url = server.url("/v1");
    AssistantOptions answering;
    answering.model = remote_chat_model(ModelServer(runtime, options), "m");
    answering.model_timeout = 10min;
    assistant = Assistant(Retriever(document, RetrieverOptions()), answering);
    // What there is once for all of them: connections, analysers, threads.
    std::vector<Task<Answer>> first;
    for (int i = 0; i < 500; ++i) first.push_back(assistant.ask("Which keys are rotated?"));
    runtime.run(gather(std::move(first)));
  }

  ScriptedServer server{[](const ServerRequest&) {
    return ServerReply().pause(5ms).then(
        ServerReply::text(200, R"({"choices":[{"message":{"content":"Keys [1]."},"finish_reason":"stop"}]})"));
  }};
  Runtime runtime;
  Document document;
  Assistant assistant;
};

TEST_F(Load, ThousandsOfQuestionsInFlightAreAllAnsweredFairlyInThirtyTwoKiBEach) {
  const std::size_t in_flight = std::min<std::size_t>(10'000, rounds(4'000));
  Tally tally;
  tally.enough = in_flight + rounds(2'000);
  const PeakMemory memory;
  std::vector<Task<void>> questions;
  for (std::size_t i = 0; i < in_flight; ++i) questions.push_back(keep_asking(assistant, i % kCallers, &tally));
  runtime.run(gather(std::move(questions)));
  const std::size_t each = memory.bytes() / in_flight;
  EXPECT_EQ(tally.errors, 0u);
  EXPECT_LE(server.connections(), 256u);
  const double mean = static_cast<double>(tally.enough) / kCallers;
  const auto [least, most] = std::minmax_element(tally.answers.begin(), tally.answers.end());
  EXPECT_GE(static_cast<double>(*least), 0.8 * mean);
  EXPECT_LE(static_cast<double>(*most), 1.2 * mean);
  if (PeakMemory::counts()) {
    EXPECT_LE(each, 32u << 10);
  }
  RecordProperty("bytes_per_question", std::to_string(each));
  RecordProperty("fewest_and_most_answers", std::to_string(*least) + ", " + std::to_string(*most));
}

}  // namespace
}  // namespace ragstone::test
