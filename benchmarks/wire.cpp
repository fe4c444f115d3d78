// What calls of a model server cost, against a scripted server in the same process with set latencies.
//
// - 10,000 calls of 100 ms at a limit of 200, on one thread, against the 5 s that they take at best, and how much
//   later than after 100 ms the server itself answers
// - CPU of the client's thread for a call and for a streamed token; allocations for a token without observers, of
//   tokens that come many at once, of tokens beyond the small string optimisation, and of tokens that come one by one;
//   the reader gives its strings back
// - the same by Node's openai package on the same server, where RAGSTONE_OPENAI_NODE names a folder in which that is
//   installed (benchmarks/peers/wire.sh sees to it): CPU of its process
// - 10,000 streams that are given up at random points: descriptors, memory and connections afterwards
// - attempts for each call while the server refuses half of them
//
// --quick takes a tenth of the calls and streams, and as many tokens.

#include "support/http/scripted_server.hpp"
#include "support/memory.hpp"
#include "support/process.hpp"
#include "support/report.hpp"
#include "support/thread_allocations.hpp"
#include <ragstone/ragstone.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;
using ragstone::CallContext;
using ragstone::ChatModel;
using ragstone::ChatReply;
using ragstone::ModelServer;
using ragstone::Runtime;
using ragstone::Task;
using ragstone::bench::Report;
using ragstone::bench::thread_cpu_seconds;
using ragstone::test::ScriptedServer;
using ragstone::test::ServerReply;
using ragstone::test::ServerRequest;
using ragstone::test::thread_allocations;

const std::string kReply =
    R"({"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":)"
    R"("assistant","content":"Momentum keeps a part of the last step.","refusal":null},"logprobs":null,"finish_reason":)"
    R"("stop"}],"usage":{"prompt_tokens":20,"completion_tokens":8,"total_tokens":28}})";
const std::string kToken =
    R"({"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":)"
    R"({"content":" token"},"logprobs":null,"finish_reason":null}]})";
const std::string kLongToken =
    R"({"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":)"
    R"({"content":"一个很长的词元 of many bytes"},"logprobs":null,"finish_reason":null}]})";

ServerReply stream_of(const std::string& token, std::size_t tokens) {
  ServerReply reply = ServerReply::event_stream();
  ServerReply one;
  one.event(token);
  reply.repeat(std::get<ServerReply::Send>(one.steps[0]).bytes, tokens);
  reply.event(R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})").event("[DONE]");
  return reply.end_of_chunks();
}

/// The path's first part says what a client wants: /slow, /fast, /tokens-N, /long-N, /single-N, /drip, /storm.
ServerReply answer(const ServerRequest& request, std::mt19937& random) {
  const std::string& target = request.target;
  if (target.starts_with("/slow")) {
    ServerReply reply;
    reply.pause(100ms);
    reply.steps.push_back(ServerReply::text(200, kReply).steps[0]);
    return reply;
  }
  if (target.starts_with("/tokens-")) return stream_of(kToken, std::stoul(target.substr(8)));
  if (target.starts_with("/long-")) return stream_of(kLongToken, std::stoul(target.substr(6)));
  if (target.starts_with("/drip")) {
    ServerReply reply = ServerReply::event_stream();
    for (int i = 0; i < 20; ++i) reply.event(kToken).pause(1ms);
    return reply.hang();
  }
  if (target.starts_with("/single-")) {
    ServerReply reply = ServerReply::event_stream();
    for (std::size_t i = std::stoul(target.substr(8)); i > 0; --i) reply.pause(1ms).event(kToken);
    reply.event(R"({"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]})").event("[DONE]");
    return reply.end_of_chunks();
  }
  if (target.starts_with("/storm") && random() % 2 == 0)
    return ServerReply::text(random() % 2 == 0 ? 429 : 503, R"({"error":{"message":"busy"}})");
  return ServerReply::text(200, kReply);
}

class Bench {
 public:
  Bench() : server_([this](const ServerRequest& request) { return answer(request, random_); }) {}

  ScriptedServer& server() { return server_; }

  std::shared_ptr<ChatModel> model(Runtime& runtime, const std::string& path, std::size_t concurrency) const {
    ragstone::ModelServerOptions options(ragstone::provider_profile("vllm"));
    options.base_url = server_.url("/" + path);
    options.limits.max_concurrency = concurrency;
    options.retry.breaker_failures = 0;
    options.retry.initial_delay = 20ms;
    return ragstone::remote_chat_model(ModelServer(runtime, options), "m");
  }

 private:
  std::mt19937 random_{1};
  ScriptedServer server_;
};

ragstone::ChatRequest question() {
  ragstone::ChatRequest request;
  request.messages.emplace_back(ragstone::ChatRole::system, "Answer in one sentence.");
  request.messages.emplace_back(ragstone::ChatRole::user, "What does momentum do in gradient descent?");
  return request;
}

std::vector<Task<ChatReply>> calls_of(const std::shared_ptr<ChatModel>& model, std::size_t count) {
  std::vector<Task<ChatReply>> calls;
  for (std::size_t i = 0; i < count; ++i) calls.push_back(model->chat(question()));
  return calls;
}

/// CPU and allocations of the loop's thread.
class Cost {
 public:
  double cpu = 0;
  double allocations = 0;
};

Task<Cost> cost_of_calls(std::shared_ptr<ChatModel> model, std::size_t count, std::size_t limit) {
  Cost cost;
  ragstone::GatherOptions options;
  options.limit = limit;
  const double cpu = thread_cpu_seconds();
  const auto allocations = thread_allocations();
  co_await ragstone::gather(calls_of(model, count), options);
  cost.cpu = thread_cpu_seconds() - cpu;
  cost.allocations = static_cast<double>(thread_allocations() - allocations);
  co_return cost;
}

void bench_limit(Report& report, Bench& bench, std::size_t count) {
  constexpr std::size_t kLimit = 200;
  Runtime runtime;
  const auto model = bench.model(runtime, "slow", kLimit);
  const auto start = Clock::now();
  const Cost cost = runtime.run(cost_of_calls(model, count, 0));
  const double time = std::chrono::duration<double>(Clock::now() - start).count();
  const double ideal = 0.1 * static_cast<double>(count) / kLimit;
  report.figure("calls of 100 ms at a limit of 200", static_cast<double>(count), "");
  report.figure("calls of 100 ms at a limit of 200, time", time, "s");
  report.figure("the server's own delay of a reply", bench.server().mean_lateness().count() * 1e3, "ms");
  report.figure("calls of 100 ms at a limit of 200, the loop's CPU", cost.cpu / time * 100, "%");
  report.cost_ratio("calls of 100 ms at a limit of 200, against the ideal", time, ideal);
}

Task<std::size_t> read_pieces(ragstone::AsyncStream<std::string> pieces) {
  std::size_t count = 0;
  while (true) {
    std::optional<std::string> piece = co_await pieces.next();
    if (!piece) co_return count;
    ++count;
    pieces.recycle(std::move(*piece));
  }
}

Task<std::size_t> write_pieces(std::shared_ptr<ChatModel> model, ragstone::StreamProducer<std::string> producer) {
  const auto reply = co_await model->chat_stream(question(), producer);
  co_return reply.text.size();
}

Task<Cost> cost_of_stream(std::shared_ptr<ChatModel> model, std::size_t tokens) {
  Cost cost;
  ragstone::AsyncStream<std::string> pieces(64);
  std::vector<Task<std::size_t>> ends;
  ends.push_back(write_pieces(model, pieces.producer()));
  ends.push_back(read_pieces(std::move(pieces)));
  const double cpu = thread_cpu_seconds();
  const auto allocations = thread_allocations();
  const auto counts = co_await ragstone::gather(std::move(ends));
  if (counts[1] != tokens) throw std::runtime_error("a stream lost tokens");
  cost.cpu = thread_cpu_seconds() - cpu;
  cost.allocations = static_cast<double>(thread_allocations() - allocations);
  co_return cost;
}

/// What Node's openai package takes, by the names of benchmarks/peers/wire.mjs; empty where it is not there.
std::map<std::string, double> node_costs(Bench& bench, std::size_t calls, std::size_t tokens) {
  std::map<std::string, double> costs;
  const char* folder = std::getenv("RAGSTONE_OPENAI_NODE");
  if (folder == nullptr) return costs;
  const std::string command = "cd '" + std::string(folder) + "' && node wire.mjs " + bench.server().url() + " " +
                              std::to_string(calls) + " " + std::to_string(tokens);
  FILE* output = ::popen(command.c_str(), "r");
  if (output == nullptr) throw std::runtime_error("node cannot be started");
  char name[64];
  double value = 0;
  while (std::fscanf(output, "%63s %lf", name, &value) == 2) costs[name] = value;
  if (::pclose(output) != 0) throw std::runtime_error("the node program failed");
  return costs;
}

/// Of one token of the server's streams of a kind: the difference of a long and a short one.
Cost cost_of_token(Bench& bench, Runtime& runtime, const std::string& kind, std::size_t few, std::size_t many) {
  const auto short_model = bench.model(runtime, kind + std::to_string(few), 0);
  const auto long_model = bench.model(runtime, kind + std::to_string(many), 0);
  runtime.run(cost_of_stream(long_model, many));
  const Cost short_stream = runtime.run(cost_of_stream(short_model, few));
  const Cost long_stream = runtime.run(cost_of_stream(long_model, many));
  const auto between = static_cast<double>(many - few);
  Cost cost;
  cost.cpu = (long_stream.cpu - short_stream.cpu) / between;
  cost.allocations = (long_stream.allocations - short_stream.allocations) / between;
  return cost;
}

void bench_costs(Report& report, Bench& bench, std::size_t calls, std::size_t tokens) {
  Runtime runtime;
  const auto fast = bench.model(runtime, "fast", 0);
  runtime.run(cost_of_calls(fast, calls / 10, 32));
  const Cost call = runtime.run(cost_of_calls(fast, calls, 32));
  const double per_call = call.cpu / static_cast<double>(calls) * 1e6;
  report.figure("CPU for a call", per_call, "us");

  const Cost token = cost_of_token(bench, runtime, "tokens-", tokens / 10, tokens);
  const Cost long_token = cost_of_token(bench, runtime, "long-", tokens / 10, tokens);
  const Cost single_token = cost_of_token(bench, runtime, "single-", 200, 600);
  const double per_token = token.cpu * 1e6;
  report.figure("CPU for a streamed token", per_token, "us");
  report.figure("allocations for a streamed token", token.allocations, "");
  report.figure("CPU for a streamed token of 34 bytes", long_token.cpu * 1e6, "us");
  report.figure("allocations for a streamed token of 34 bytes", long_token.allocations, "");
  report.figure("CPU for a streamed token that comes alone", single_token.cpu * 1e6, "us");
  report.figure("allocations for a streamed token that comes alone", single_token.allocations, "");

  const auto node = node_costs(bench, calls, tokens);
  if (node.empty()) {
    std::printf("skipped: Node's openai package (RAGSTONE_OPENAI_NODE is not set; see benchmarks/peers/wire.sh)\n");
    return;
  }
  report.figure("CPU for a call, Node's openai package", node.at("call_us"), "us");
  report.figure("CPU for a streamed token, Node's openai package", node.at("token_us"), "us");
  report.cost_ratio("CPU for a call", per_call, node.at("call_us"));
  report.cost_ratio("CPU for a streamed token", per_token, node.at("token_us"));
}

std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

Task<std::size_t> stream_for(std::shared_ptr<ChatModel> model, std::chrono::microseconds time) {
  ragstone::AsyncStream<std::string> pieces(1'000);
  co_return co_await ragstone::with_timeout(write_pieces(model, pieces.producer()), time);
}

void bench_cancelled(Report& report, Bench& bench, std::size_t count) {
  Runtime runtime;
  const auto model = bench.model(runtime, "drip", 200);
  std::mt19937 random(2);
  const auto run = [&](std::size_t streams) {
    std::vector<Task<std::size_t>> calls;
    for (std::size_t i = 0; i < streams; ++i)
      calls.push_back(stream_for(model, std::chrono::microseconds(random() % 25'000)));
    ragstone::GatherOptions options;
    options.limit = 200;
    runtime.run(ragstone::gather_outcomes(std::move(calls), options));
    if (!bench.server().wait_for_no_connection()) throw std::runtime_error("connections stayed open");
  };
  run(count);  // what is kept for later streams is there afterwards
  const std::size_t descriptors = open_descriptors();
  const double memory = ragstone::bench::resident_mib();
  run(count);
  report.figure("streams given up at random points", static_cast<double>(count), "");
  report.figure("descriptors that stayed open",
                static_cast<double>(open_descriptors()) - static_cast<double>(descriptors), "");
  report.figure("memory that stayed", ragstone::bench::resident_mib() - memory, "MiB");
}

void bench_storm(Report& report, Bench& bench, std::size_t count) {
  Runtime runtime;
  const auto model = bench.model(runtime, "storm", 0);
  const std::size_t before = bench.server().requests();
  const auto outcomes = runtime.run(ragstone::gather_outcomes(calls_of(model, count)));
  const auto attempts = static_cast<double>(bench.server().requests() - before);
  report.cost_ratio("attempts for a call in a storm of 429 and 503, against 1.1", attempts / static_cast<double>(count),
                    1.1);
}

}  // namespace

int main(int argc, char** argv) {
  const ragstone::bench::Arguments arguments(argc, argv);
  const std::size_t part = arguments.quick ? 10 : 1;
  try {
    Report report("wire");
    Bench bench;
    bench_limit(report, bench, 10'000 / part);
    bench_costs(report, bench, 10'000 / part, 20'000);
    bench_cancelled(report, bench, 10'000 / part);
    bench_storm(report, bench, 10'000 / part);
    report.write(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "wire: %s\n", error.what());
    return 1;
  }
  return 0;
}
