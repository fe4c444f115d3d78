#pragma once

#include <ragstone/async/stream.hpp>
#include <ragstone/async/task.hpp>
#include <ragstone/model/chat_model.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace ragstone {

/// Whether a model's text is kNothingFoundMark, apart from white space and punctuation after it.
bool says_nothing(std::string_view text) noexcept;

/// chat_stream() that keeps a text back as long as it may become one that says_nothing(); such a text is never put into
/// `pieces`. Does not end the stream.
Task<ChatReply> stream_answer(std::shared_ptr<ChatModel> model, ChatRequest request, StreamProducer<std::string> pieces,
                              CallContext context);

}  // namespace ragstone
