#include "rag/assistant_stream.hpp"

#include <ragstone/async/gather.hpp>
#include <ragstone/rag/prompt.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace ragstone {
namespace {

constexpr std::string_view kMark = kNothingFoundMark;
constexpr std::size_t kPiecesAhead = 16;

std::string_view from_first_letter(std::string_view text) noexcept {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  return begin == text.npos ? std::string_view() : text.substr(begin);
}

bool may_say_nothing(std::string_view text) noexcept {
  const std::string_view begun = from_first_letter(text);
  return begun.size() < kMark.size() ? kMark.starts_with(begun) : says_nothing(text);
}

Task<void> chat_into(std::shared_ptr<ChatModel> model, ChatRequest request, StreamProducer<std::string> pieces,
                     std::shared_ptr<ChatReply> reply, CallContext context) {
  *reply = co_await model->chat_stream(std::move(request), std::move(pieces), std::move(context));
}

Task<void> pass_on(AsyncStream<std::string> from, StreamProducer<std::string> to, CallContext context) {
  std::string held;
  bool is_held = true;
  while (true) {
    std::optional<std::string> piece = co_await from.next(context);
    if (!piece) break;
    if (is_held) {
      held += *piece;
      if (may_say_nothing(held)) continue;
      is_held = false;
      piece = std::move(held);
    }
    co_await to.push(std::move(*piece), context);
    if (std::optional<std::string> spare = to.spare()) from.recycle(std::move(*spare));
  }
  if (is_held && !held.empty() && !says_nothing(held)) co_await to.push(std::move(held), context);
}

}  // namespace

bool says_nothing(std::string_view text) noexcept {
  const std::string_view begun = from_first_letter(text);
  if (!begun.starts_with(kMark)) return false;
  std::string_view rest = begun.substr(kMark.size());
  if (rest.starts_with("。")) rest.remove_prefix(std::string_view("。").size());
  return rest.find_first_not_of(" \t\r\n.") == rest.npos;
}

Task<ChatReply> stream_answer(std::shared_ptr<ChatModel> model, ChatRequest request, StreamProducer<std::string> pieces,
                              CallContext context) {
  auto reply = std::make_shared<ChatReply>();
  AsyncStream<std::string> stream(kPiecesAhead);
  StreamProducer<std::string> producer = stream.producer();
  std::vector<Task<void>> tasks;
  tasks.push_back(chat_into(std::move(model), std::move(request), std::move(producer), reply, context));
  tasks.push_back(pass_on(std::move(stream), std::move(pieces), context));
  co_await gather(std::move(tasks));
  co_return std::move(*reply);
}

}  // namespace ragstone
