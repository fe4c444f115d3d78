// Reads a folder of documents and answers questions from it, with the places that the answers come from.
//
//   ragstone_ask FOLDER [QUESTION...]
//
// Without a question it reads questions from standard input, one a line. Answers go to standard output, everything else
// to standard error. No model is asked: an answer is made of the passages' best sentences. Exit code: 0; 1 if the
// folder cannot be read or holds nothing readable; 2 for a wrong call.

#include <ragstone/ragstone.hpp>
#include <ragstone/text/utf8.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <sys/ioctl.h>
#include <unistd.h>

namespace {

constexpr char kUsage[] =
    "Usage: ragstone_ask FOLDER [QUESTION...]\n"
    "Reads the text and Markdown files of FOLDER and answers each QUESTION from them, with citations.\n"
    "Without a QUESTION it reads questions from standard input, one a line.\n";

constexpr std::size_t kSnippetCharacters = 160;
constexpr std::size_t kLineCharacters = 600;

/// Text for a terminal: no control characters, white space drawn together, cut after so many characters.
std::string printable(std::string_view text, std::size_t max_characters) {
  std::string out;
  std::size_t characters = 0;
  bool space = false;
  for (const auto c : ragstone::utf8::CodePoints(text)) {
    if (c.value <= 0x20 || (c.value >= 0x7F && c.value < 0xA0) || c.value == 0x3000) {
      space = !out.empty();
      continue;
    }
    if (characters >= max_characters) return out + "…";
    if (std::exchange(space, false)) {
      out += ' ';
      ++characters;
    }
    ragstone::utf8::append(out, c.value == ragstone::utf8::kInvalid ? ragstone::utf8::kReplacement : c.value);
    ++characters;
  }
  return out;
}

/// Draws how far sync() is: one line that is drawn again on a terminal, otherwise a line for each quarter.
class ProgressBar {
 public:
  void show(const ragstone::Progress& progress) {
    if (progress.sources_total == 0) return;
    const bool last = progress.sources_done == progress.sources_total;
    const auto now = std::chrono::steady_clock::now();
    if (terminal_) {
      if (!last && now - drawn_ < std::chrono::milliseconds(40)) return;
      drawn_ = now;
      std::cerr << '\r' << bar(progress) << "\x1b[K" << (last ? "\n" : "") << std::flush;
      return;
    }
    const std::size_t quarter = progress.sources_done * 4 / progress.sources_total;
    if (quarter == quarter_) return;
    quarter_ = quarter;
    std::cerr << "read " << counts(progress) << '\n';
  }

 private:
  static std::string counts(const ragstone::Progress& progress) {
    std::ostringstream out;
    out << progress.sources_done << " of " << progress.sources_total << " files, "
        << (progress.bytes_done + 1023) / 1024 << " of " << (progress.bytes_total + 1023) / 1024 << " KiB";
    if (progress.sources_failed > 0) out << ", " << progress.sources_failed << " failed";
    return out.str();
  }

  static std::string bar(const ragstone::Progress& progress) {
    const std::string text = counts(progress);
    winsize window{};
    const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0;
    const std::size_t columns = known ? window.ws_col : 80;
    if (columns < text.size() + 15) return text.substr(0, columns - 1);
    const std::size_t width = std::min<std::size_t>(40, columns - text.size() - 5);
    const std::size_t done = width * progress.sources_done / progress.sources_total;
    return "[" + std::string(done, '#') + std::string(width - done, '-') + "] " + text;
  }

  bool terminal_ = isatty(STDERR_FILENO) == 1;
  std::chrono::steady_clock::time_point drawn_;
  std::size_t quarter_ = 0;
};

void print(const ragstone::SyncReport& report, std::chrono::milliseconds time) {
  std::cerr << report.added << " added, " << report.changed << " changed, " << report.moved << " moved, "
            << report.removed << " removed, " << report.unchanged << " unchanged, " << report.failed << " failed, "
            << report.ignored << " ignored; " << time.count() << " ms\n";
  for (const auto& failure : report.failures)
    std::cerr << "  failed to " << name_of(failure.stage) << ' ' << printable(failure.id, 200) << ": "
              << printable(failure.reason, 400) << '\n';
}

/// What the answer cites from a passage; the passage's beginning if it cites nothing.
std::string snippet(const ragstone::Answer& answer, std::size_t passage) {
  for (const auto& citation : answer.citations)
    if (citation.passage == passage) return printable(citation.quote, kSnippetCharacters);
  return printable(answer.passages[passage].text, kSnippetCharacters);
}

void answer(ragstone::Runtime& runtime, const ragstone::Assistant& assistant, const std::string& question) {
  const auto start = std::chrono::steady_clock::now();
  const auto answer = runtime.run(assistant.ask(question));
  const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;

  std::cout << "\nQ: " << printable(question, 1000) << "   (" << std::fixed << std::setprecision(1) << time.count()
            << " ms)\n";
  std::istringstream lines(answer.text);
  const char* lead = "A: ";
  for (std::string line; std::getline(lines, line); lead = "   ")
    std::cout << lead << printable(line, kLineCharacters) << '\n';
  for (std::size_t i = 0; i < answer.passages.size(); ++i) {
    const auto& passage = answer.passages[i];
    std::cout << " [" << i + 1 << "] " << printable(passage.source, 200) << "  bytes " << passage.file_span.begin << '-'
              << passage.file_span.end << "  score " << std::setprecision(2) << passage.score << "\n     "
              << snippet(answer, i) << '\n';
  }
  std::cout << std::flush;
}

void run(const std::filesystem::path& folder, const std::vector<std::string>& questions) {
  ragstone::Runtime runtime;
  ragstone::DocumentOptions options;
  options.dataset = folder;
  auto document = runtime.run(ragstone::Document::open(runtime, options));

  ProgressBar progress;
  document.on_progress([&](const ragstone::Progress& now) { progress.show(now); });
  // A group that is known to be wanted is made while the files are read.
  runtime.run(document.build(ragstone::kMediumChunk));
  const auto start = std::chrono::steady_clock::now();
  const auto report = runtime.run(document.sync());
  print(report, std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start));
  if (report.added == 0)
    throw ragstone::Error(ragstone::Errc::not_found, "nothing to ask: no readable text or Markdown file in '" +
                                                         printable(folder.string(), 400) + "'");

  ragstone::RetrieverOptions retrieval;
  retrieval.top_k = 5;
  const ragstone::Assistant assistant(ragstone::Retriever(document, retrieval));
  for (const auto& question : questions) answer(runtime, assistant, question);
  if (!questions.empty()) return;

  const bool prompts = isatty(STDIN_FILENO) == 1;
  std::string question;
  while ((prompts && std::cerr << "\nquestion> " << std::flush, std::getline(std::cin, question)))
    if (!question.empty()) answer(runtime, assistant, question);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.empty() || arguments[0].empty()) {
    std::cerr << kUsage;
    return 2;
  }
  if (arguments[0] == "-h" || arguments[0] == "--help") {
    std::cout << kUsage;
    return 0;
  }
  std::error_code error;
  if (!std::filesystem::is_directory(arguments[0], error)) {
    std::cerr << "ragstone_ask: '" << printable(arguments[0], 400) << "' is "
              << (std::filesystem::exists(arguments[0], error) ? "not a folder" : "not there") << '\n'
              << kUsage;
    return 2;
  }
  const std::vector<std::string> questions(arguments.begin() + 1, arguments.end());
  for (const auto& question : questions) {
    if (!question.empty() && ragstone::utf8::is_valid(question)) continue;
    std::cerr << "ragstone_ask: a question is " << (question.empty() ? "empty" : "not valid UTF-8") << '\n';
    return 2;
  }
  try {
    run(arguments[0], questions);
  } catch (const std::exception& failure) {
    std::cerr << "ragstone_ask: " << failure.what() << '\n';
    return 1;
  }
  return 0;
}
