// 5. Without coroutines: callbacks and futures.
//
// Every operation also exists as async_..., which takes any Asio completion token and the signature
// void(std::exception_ptr, result).

#include <ragstone/ragstone.hpp>

#include <iostream>
#include <latch>
#include <mutex>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/use_future.hpp>

int main() {
  ragstone::Runtime runtime;

  // Futures: start an operation, do something else, wait.
  ragstone::DocumentOptions options;
  auto opening = ragstone::Document::async_open(runtime, options, boost::asio::use_future);
  auto document = opening.get();

  ragstone::Source english("momentum.md", "Momentum adds a fraction of the last step to the next one.");
  ragstone::Source chinese("动量.md", "动量法把上一步的一部分加到下一步，从而加快收敛。");
  auto first = document.async_add(english, boost::asio::use_future);
  auto second = document.async_add(chinese, boost::asio::use_future);
  first.get();
  second.get();

  // Callbacks: they run on the Runtime's own loop, or on the executor that is bound to them. Errors come as an
  // exception_ptr, never as a throw.
  ragstone::Retriever retriever(document, ragstone::RetrieverOptions());
  const std::vector<std::string> questions = {"What does momentum add?", "动量法做什么？", "Nothing knows this."};
  std::latch answered(static_cast<std::ptrdiff_t>(questions.size()));
  std::mutex output;
  for (const auto& question : questions) {
    retriever.async_retrieve(question, [&, question](std::exception_ptr error, std::vector<ragstone::Hit> hits) {
      {
        const std::lock_guard lock(output);
        std::cout << question << '\n';
        if (error) std::cout << "  failed: " << ragstone::message_of(error) << '\n';
        for (const auto& hit : hits) std::cout << "  " << hit.source << ": " << hit.text << '\n';
        if (!error && hits.empty()) std::cout << "  no answer\n";
      }
      answered.count_down();
    });
  }
  answered.wait();

  // A callback's operation is cancelled through Asio's cancellation slots, and then ends with operation_aborted.
  boost::asio::cancellation_signal stop;
  std::latch ended(1);
  auto on_end = [&](std::exception_ptr error, std::vector<ragstone::Hit> hits) {
    if (error && ragstone::is_cancelled(error))
      std::cout << "cancelled\n";
    else
      std::cout << "it was faster: " << hits.size() << " hits\n";
    ended.count_down();
  };
  retriever.async_retrieve("momentum", boost::asio::bind_cancellation_slot(stop.slot(), on_end));
  stop.emit(boost::asio::cancellation_type::terminal);
  ended.wait();
}
