#include "rag/compression.hpp"
#include "rag/nonce.hpp"
#include "rag/prompt_texts.hpp"
#include "rag/quoted.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/rag/prompt.hpp>
#include <ragstone/text/segment.hpp>
#include <ragstone/text/utf8.hpp>

#include <algorithm>
#include <utility>

namespace ragstone {
namespace {

std::size_t place_of(PromptLanguage language) { return language == PromptLanguage::chinese ? 1 : 0; }

bool is_han(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x323AF);
}

/// The hit up to the end of a sentence, as long as it may be; none if not even the first sentence fits.
std::optional<Hit> cut(const Hit& hit, std::size_t tokens, const TokenCounter& counter) {
  std::size_t end = 0;
  std::size_t used = 0;
  for (const Span sentence : sentences(hit.text)) {
    used += counter.count(sentence.of(hit.text));
    if (used > tokens) break;
    end = sentence.end;
  }
  if (end == 0) return std::nullopt;
  Hit shorter = hit;
  shorter.text.resize(end);
  clip_highlights(shorter, Span{0, end});
  if (!hit.is_span) return shorter;
  shorter.span.end = hit.span.begin + end;
  if (hit.file_span.size() == hit.span.size()) shorter.file_span.end = hit.file_span.begin + end;
  return shorter;
}

PromptTemplate parsed(const std::string& own, std::string_view built_in) {
  return PromptTemplate(own.empty() ? built_in : std::string_view(own));
}

}  // namespace

PromptLanguage language_of(std::string_view text) noexcept {
  for (const auto c : utf8::CodePoints(text))
    if (is_han(c.value)) return PromptLanguage::chinese;
  return PromptLanguage::english;
}

Prompt::Prompt(PromptOptions options) : options_(std::move(options)) {
  if (!options_.counter) options_.counter = estimated_token_counter();
  for (const char* reserved : {"context", "question", "nothing"})
    if (options_.variables.contains(reserved))
      throw Error(Errc::invalid_argument, "Prompt: the variable {" + std::string(reserved) + "} is Ragstone's own");
  options_.variables["nothing"] = kNothingFoundMark;
  for (const auto language : {PromptLanguage::english, PromptLanguage::chinese}) {
    PromptTemplate& system = system_[place_of(language)];
    PromptTemplate& user = user_[place_of(language)];
    system = parsed(options_.system, prompt_texts::system_template(language));
    user = parsed(options_.user, prompt_texts::user_template(language));
    for (const char* needed : {"context", "question"}) {
      if (!user.uses(needed))
        throw Error(Errc::invalid_argument, "Prompt: the user template has no {" + std::string(needed) + "}");
      if (system.uses(needed))
        throw Error(Errc::invalid_argument,
                    "Prompt: {" + std::string(needed) + "} belongs in the user template, not in the system's");
    }
    PromptTemplate::Values values = options_.variables;
    values["context"] = values["question"] = std::string();
    system.render(values);
    user.render(values);
  }
}

/// Puts one prompt together within its budget.
class Prompt::Composer {
 public:
  Composer(const Prompt& prompt, const std::string& question)
      : options_(prompt.options_), counter_(*options_.counter), question_(question) {
    language_ = options_.language == PromptLanguage::automatic ? language_of(question) : options_.language;
    system_ = prompt.system_[place_of(language_)].render(options_.variables);
    user_ = &prompt.user_[place_of(language_)];
    rendered_.nonce = fresh_nonce();
  }

  RenderedPrompt compose(const std::vector<Hit>& hits, const std::vector<ChatMessage>& history) {
    take(counter_.count(system_) + counter_.count(user_message(std::string())));
    choose_history(history);
    choose_passages(hits);
    rendered_.context = context(rendered_.nonce);
    rendered_.messages = messages(rendered_.context);
    for (const ChatMessage& message : rendered_.messages) rendered_.tokens += counter_.count(message.text);
    rendered_.key = key();
    return std::move(rendered_);
  }

 private:
  void take(std::size_t tokens) {
    if (tokens > options_.max_tokens)
      throw Error(Errc::limit_exceeded, "Prompt: the question and the templates need " + std::to_string(tokens) +
                                            " tokens of max_tokens = " + std::to_string(options_.max_tokens));
    left_ = options_.max_tokens - tokens;
  }

  /// What stands before all turns (a summary), if it fits, and whole turns from the newest on.
  void choose_history(const std::vector<ChatMessage>& history) {
    std::size_t left = std::min(options_.max_history_tokens, left_ / 2);
    const std::size_t turns = first_turn(history);
    std::size_t before = 0;
    for (std::size_t i = 0; i < turns; ++i) before += counter_.count(history[i].text);
    if (before <= left) {
      history_.assign(history.begin(), history.begin() + static_cast<std::ptrdiff_t>(turns));
      left -= before;
      left_ -= before;
    }
    std::size_t begin = history.size();
    std::size_t turn = 0;
    for (std::size_t i = history.size(); i-- > turns;) {
      turn += counter_.count(history[i].text);
      if (turn > left) break;
      if (history[i].role == ChatRole::assistant) continue;
      begin = i;
      left -= turn;
      left_ -= turn;
      turn = 0;
    }
    history_.insert(history_.end(), history.begin() + static_cast<std::ptrdiff_t>(begin), history.end());
  }

  /// The first question that has an answer.
  static std::size_t first_turn(const std::vector<ChatMessage>& history) {
    std::size_t i = 0;
    while (i < history.size() &&
           !(history[i].role == ChatRole::user && i + 1 < history.size() && history[i + 1].role == ChatRole::assistant))
      ++i;
    return i;
  }

  void choose_passages(const std::vector<Hit>& hits) {
    for (const Hit& hit : hits)
      while (hit.text.find(rendered_.nonce) != hit.text.npos) rendered_.nonce = fresh_nonce();
    std::size_t left = left_ - std::min(left_, counter_.count(prompt_texts::context_head(language_, rendered_.nonce)));
    rendered_.passages.reserve(hits.size());  // as long as the model takes, they stay
    for (const Hit& hit : hits) {
      const std::size_t whole = counter_.count(quoted_passage(hit, rendered_.passages.size() + 1, rendered_.nonce));
      if (whole <= left) {
        left -= whole;
        rendered_.passages.push_back(hit);
        continue;
      }
      const std::size_t frame = whole - std::min(whole, counter_.count(hit.text));
      if (left > frame)
        if (std::optional<Hit> part = cut(hit, left - frame, counter_)) rendered_.passages.push_back(std::move(*part));
      break;
    }
    if (rendered_.passages.empty() && !hits.empty())
      throw Error(Errc::limit_exceeded,
                  "Prompt: max_tokens = " + std::to_string(options_.max_tokens) + " leave no room for a passage");
  }

  std::string context(const std::string& nonce) const {
    std::string out = prompt_texts::context_head(language_, nonce);
    for (std::size_t i = 0; i < rendered_.passages.size(); ++i)
      out += quoted_passage(rendered_.passages[i], i + 1, nonce);
    return out;
  }

  std::string user_message(const std::string& context) const {
    PromptTemplate::Values values = options_.variables;
    values["context"] = context;
    values["question"] = question_;
    return user_->render(values);
  }

  std::vector<ChatMessage> messages(const std::string& context) const {
    std::vector<ChatMessage> messages;
    if (!system_.empty()) messages.emplace_back(ChatRole::system, system_);
    messages.insert(messages.end(), history_.begin(), history_.end());
    messages.emplace_back(ChatRole::user, user_message(context));
    join_questions(messages);
    return messages;
  }

  /// Many models want user and assistant in turn: what the user says twice in a row becomes one message.
  static void join_questions(std::vector<ChatMessage>& messages) {
    for (std::size_t i = messages.size(); i-- > 1;) {
      if (messages[i].role != ChatRole::user || messages[i - 1].role != ChatRole::user) continue;
      std::string& before = messages[i - 1].text;
      if (!before.ends_with('\n')) before += '\n';
      before += messages[i].text;
      messages.erase(messages.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }

  Hash128 key() const {
    const std::vector<ChatMessage> same = messages(context(std::string()));
    std::vector<std::string_view> parts;
    for (const ChatMessage& message : same) {
      parts.emplace_back(name_of(message.role));
      parts.emplace_back(message.text);
    }
    return hash128(parts);
  }

  const PromptOptions& options_;
  const TokenCounter& counter_;
  const std::string& question_;
  PromptLanguage language_ = PromptLanguage::english;
  std::string system_;
  const PromptTemplate* user_ = nullptr;
  std::vector<ChatMessage> history_;
  std::size_t left_ = 0;
  RenderedPrompt rendered_;
};

RenderedPrompt Prompt::render(const std::string& question, const std::vector<Hit>& hits,
                              const std::vector<ChatMessage>& history) const {
  return Composer(*this, question).compose(hits, history);
}

}  // namespace ragstone
