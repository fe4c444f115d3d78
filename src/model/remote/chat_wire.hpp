#pragma once

#include "model/remote/json_reply.hpp"
#include "model/remote/think_block.hpp"
#include <ragstone/http/provider_profile.hpp>
#include <ragstone/model/chat_model.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

/// Chat completions as bytes; no I/O.
namespace ragstone::detail {

/// The body of a request. Errors: Errc::unsupported for a schema or a pattern that the server cannot hold a reply to;
/// Errc::invalid_argument for a schema, more members, or `stream_options` in these, that are no JSON object.
std::string chat_body(const ProviderProfile& profile, const std::string& model, const ChatRequest& request,
                      bool streamed);

/// About how many bytes it will have.
std::size_t chat_body_bytes(const ChatRequest& request) noexcept;

/// Reads replies, whole or in events. Used for one call; once its buffers have grown it allocates nothing for an event
/// but what the reply's text needs.
class ChatDecoder {
 public:
  explicit ChatDecoder(bool think_tags = true) : think_tags_(think_tags) {}

  /// A whole reply. Errors: those of no_json(); Errc::rejected for JSON without a reply, or with an error.
  void read_whole(std::string_view body);

  /// The data of an event; returns the piece of text in it, which is valid until the next call. Errors: as above.
  std::string_view read_event(std::string_view data);

  /// Something of the text or of the reasoning has come.
  bool has_begun() const noexcept { return !reply_.text.empty() || !reply_.reasoning.empty(); }
  /// An event said so, or gave the reason for the end.
  bool complete() const noexcept { return done_ || finished_; }
  /// To be called after the last event. Errors: Errc::transient if the reply is not whole, or the server says so.
  void require_complete() const;
  /// No event follows.
  bool done() const noexcept { return done_; }

  ChatReply take() { return std::move(reply_); }
  const ChatReply& reply() const noexcept { return reply_; }

 private:
  dom::element parse(std::string_view text);
  void read_common(const dom::element& reply);
  std::string_view read_choice(const dom::element& reply, std::string_view part);
  /// Adds to the text.
  std::string_view add(std::string_view piece);
  std::string_view add_last();

  std::optional<dom::parser> parser_;  // 16 KiB: calls that wait for a server need none
  ChatReply reply_;
  bool think_tags_;
  ThinkBlock think_;
  std::string broken_off_;  // the reason that the server gives
  bool done_ = false;
  bool refused_ = false;  // whatever reason the server gives for the end
  bool finished_ = false;
};

}  // namespace ragstone::detail
