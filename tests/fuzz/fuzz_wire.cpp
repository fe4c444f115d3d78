#include "fuzz/targets.hpp"
#include "model/remote/chat_wire.hpp"
#include "model/remote/embeddings_wire.hpp"
#include "model/remote/error_reply.hpp"
#include "model/remote/reply_schema.hpp"
#include "model/remote/rerank_wire.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/base/utf8.hpp>
#include <ragstone/http/retry.hpp>
#include <ragstone/http/sse.hpp>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace ragstone::test {
namespace {

void require(bool holds, const char* promise) {
  if (!holds) throw std::logic_error(promise);
}

/// Runs `decode`; an Error of one of the codes that decoders promise is right, too.
template <class Decode>
void decode_or_refuse(Decode decode) {
  try {
    decode();
  } catch (const Error& error) {
    const Errc code = error.errc();
    require(code == Errc::transient || code == Errc::rejected || code == Errc::dimension_mismatch ||
                code == Errc::limit_exceeded || code == Errc::invalid_argument || code == Errc::unsupported,
            "only errors that are promised");
    require(utf8::is_valid(error.what()), "messages are UTF-8");
  }
}

using Events = std::vector<std::pair<std::string, std::string>>;

Events events_of(std::string_view bytes, std::size_t piece) {
  SseLimits limits;
  limits.max_line_bytes = 1'000;
  limits.max_event_bytes = 1'500;
  SseParser parser(limits);
  SseEvent event;
  Events events;
  try {
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      parser.push(bytes.substr(at, piece));
      while (parser.next(event)) events.emplace_back(event.type, event.data);
    }
  } catch (const Error& error) {
    require(error.errc() == Errc::limit_exceeded, "only the limits are errors");
    events.emplace_back("too long", "");
  }
  return events;
}

}  // namespace

void fuzz_sse(std::string_view bytes) {
  if (bytes.empty()) return;
  const std::size_t piece = 1 + static_cast<unsigned char>(bytes.front()) % 17;
  bytes.remove_prefix(1);
  const Events whole = events_of(bytes, std::max<std::size_t>(1, bytes.size()));
  require(events_of(bytes, piece) == whole, "events do not depend on how the bytes are cut");
  for (const auto& [type, data] : whole) require(type.find('\n') == type.npos, "a type is one line");
}

void fuzz_replies(std::string_view bytes) {
  decode_or_refuse([&] {
    detail::ChatDecoder decoder;
    decoder.read_whole(bytes);
    require(utf8::is_valid(decoder.reply().text), "a reply's text is UTF-8");
  });
  decode_or_refuse([&] {
    detail::ChatDecoder decoder;
    const std::string piece(decoder.read_event(bytes));
    require(decoder.reply().text == piece, "a piece is what the text grows by");
  });
  for (const std::uint32_t wanted : {0u, 2u}) {
    std::vector<float> values;
    std::uint32_t dimension = wanted;
    decode_or_refuse([&] {
      detail::read_embeddings(bytes, 2, dimension, values);
      require(values.size() == 2 * std::size_t{dimension}, "a row for each text");
      for (const float value : values) require(std::isfinite(value), "vectors are finite");
    });
  }
  for (const auto dialect :
       {RerankDialect::jina, RerankDialect::vllm_score, RerankDialect::tei, RerankDialect::dashscope}) {
    decode_or_refuse([&] {
      for (const RankedText& text : detail::read_reranking(dialect, bytes, 3, 2, 10).texts)
        require(text.index >= 10 && text.index < 13 && text.score, "indexes are of texts that were sent");
    });
  }
  require(utf8::is_valid(detail::error_text(bytes)), "what a server says is made UTF-8");
  const ReplySchema schema("fuzz", R"({"type":["object","array"],"properties":{"a":{"type":"integer","minimum":0}},)"
                                   R"("items":{"anyOf":[{"$ref":"#"},{"type":"string","maxLength":3}]}})");
  decode_or_refuse([&] { detail::SchemaCheck(schema).check(bytes); });
}

void fuzz_schemas(std::string_view bytes) {
  const std::size_t split = std::min(bytes.find('\n'), bytes.size());
  const std::string schema(bytes.substr(0, split));
  const std::string_view reply = bytes.substr(std::min(split + 1, bytes.size()));
  enum class Verdict { no_schema, too_costly, refused, accepted };
  const auto verdict = [&](const std::string& json) {
    try {
      detail::SchemaCheck check(ReplySchema("fuzz", json));
      try {
        check.check(reply);
        return Verdict::accepted;
      } catch (const Error& error) {
        require(error.errc() == Errc::rejected || error.errc() == Errc::limit_exceeded,
                "a reply is refused, or too much");
        require(utf8::is_valid(error.what()), "messages are UTF-8");
        return error.errc() == Errc::rejected ? Verdict::refused : Verdict::too_costly;
      }
    } catch (const Error& error) {
      require(error.errc() == Errc::invalid_argument || error.errc() == Errc::unsupported, "a schema that is none");
      return Verdict::no_schema;
    }
  };
  const Verdict alone = verdict(schema);
  // Another schema around it has another root to refer to.
  if (alone == Verdict::no_schema || alone == Verdict::too_costly || schema.find("$ref") != schema.npos) return;
  if (schema.find("\\u") != schema.npos || verdict("{}") != Verdict::accepted) return;
  const Verdict reversed = verdict("{\"not\":" + schema + "}");
  if (reversed == Verdict::refused || reversed == Verdict::accepted)
    require(alone != reversed, "'not' accepts exactly what its schema refuses");
  const Verdict twice = verdict("{\"allOf\":[" + schema + "," + schema + "]}");
  if (twice == Verdict::refused || twice == Verdict::accepted) require(alone == twice, "'allOf' of one is that one");
}

void fuzz_retry(std::string_view bytes) {
  const std::size_t split = bytes.find('|');
  AttemptEnd end;
  end.status = 429;
  end.retry_after = bytes.substr(0, split);
  if (split != bytes.npos) end.retry_after_ms = bytes.substr(split + 1);
  const RetryOptions options;
  const std::chrono::system_clock::time_point now{std::chrono::seconds(1'704'067'200)};
  const auto requested = requested_delay(end, now);
  require(!requested || requested->count() > 0, "a wait is above 0");
  const auto delay = retry_delay(options, end, 0, 0.5, now);
  require(!delay || *delay <= options.longest_retry_after * 11 / 10, "no wait is longer than allowed");
  require(delay.has_value() == (!requested || *requested <= options.longest_retry_after), "only long waits are final");
}

}  // namespace ragstone::test
