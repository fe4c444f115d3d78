#include "model/remote/embeddings_wire.hpp"

#include "model/remote/error_reply.hpp"
#include "model/remote/extra_members.hpp"
#include "model/remote/json_reply.hpp"
#include "model/remote/json_size.hpp"
#include "model/remote/model_server_core.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include <nlohmann/json.hpp>

namespace ragstone::detail {
namespace {

using nlohmann::json;

[[noreturn]] void reject(const std::string& why) { throw Error(Errc::rejected, why); }

constexpr std::array<std::int8_t, 256> kSextets = [] {
  std::array<std::int8_t, 256> table{};
  table.fill(-1);
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < kLetters.size(); ++i)
    table[static_cast<unsigned char>(kLetters[i])] = static_cast<std::int8_t>(i);
  return table;
}();

/// RFC 4648, with or without padding.
std::string from_base64(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int sextet = kSextets[static_cast<unsigned char>(c)];
    if (sextet < 0) reject("a vector is neither an array nor base64");
    bits = bits << 6 | static_cast<std::uint32_t>(sextet);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>(bits >> count & 0xFF);
    }
  }
  return bytes;
}

void read_base64(std::string_view text, std::vector<float>& row) {
  const std::string bytes = from_base64(text);
  if (bytes.size() % sizeof(float) != 0) reject("a base64 vector is no whole number of floats");
  row.resize(bytes.size() / sizeof(float));
  for (std::size_t i = 0; i < row.size(); ++i) {
    std::uint32_t word = 0;
    for (std::size_t b = 4; b-- > 0;) word = word << 8 | static_cast<unsigned char>(bytes[i * 4 + b]);
    row[i] = std::bit_cast<float>(word);
  }
}

void read_row(const dom::element& item, std::vector<float>& row) {
  row.clear();
  auto value = member(item, "embedding");
  if (!value) value = member(item, "data");  // a pooling route's
  if (!value) reject("an item has no embedding");
  if (const auto text = text_of(value)) return read_base64(*text, row);
  const auto array = array_of(value);
  if (!array) reject("a vector is neither an array nor base64");
  for (const dom::element element : *array) {
    double number = 0;
    if (element.get(number) != simdjson::SUCCESS) reject("a vector holds something that is no number");
    row.push_back(static_cast<float>(number));
  }
}

void check_row(const std::vector<float>& row, std::size_t index) {
  const std::string which = "vector " + std::to_string(index);
  if (!std::all_of(row.begin(), row.end(), [](float x) { return std::isfinite(x); }))
    reject(which + " holds NaN or infinity");
  if (std::all_of(row.begin(), row.end(), [](float x) { return x == 0; })) reject(which + " is all zeros");
}

}  // namespace

std::size_t batch_size(const ProviderProfile& profile, std::size_t max_batch, std::size_t frame_bytes,
                       std::string_view prefix, std::span<const std::string> texts) {
  const std::uint64_t prefix_tokens = prefix.empty() ? 0 : estimated_tokens(prefix);
  const std::size_t prefix_bytes = json_bytes(prefix);
  std::size_t count = 0;
  std::uint64_t tokens = 0;
  std::uint64_t bytes = frame_bytes;
  for (const std::string& text : texts) {
    tokens += prefix_tokens + estimated_tokens(text);
    if (profile.max_request_bytes > 0) bytes += prefix_bytes + json_bytes(text) + kJsonTextFrame;
    const bool too_many = count == max_batch ||
                          (profile.max_request_tokens > 0 && tokens > profile.max_request_tokens) ||
                          (profile.max_request_bytes > 0 && bytes > profile.max_request_bytes);
    if (too_many && count > 0) break;
    ++count;
  }
  return count;
}

std::string embeddings_body(const ProviderProfile& profile, const EmbedderIdentity& identity,
                            std::span<const std::string> texts, const std::string& prefix,
                            const RemoteEmbedderOptions& options) {
  json body = json::object();
  for (const auto& [members, what] : {std::pair(&profile.embeddings_extra, "embeddings_extra of the provider profile"),
                                      std::pair(&options.extra, "remote embedder: the option extra")})
    add_members(body, *members, what, {"model", "input", "encoding_format"});
  body["model"] = identity.name;
  body["encoding_format"] = profile.base64 ? "base64" : "float";
  if (options.send_dimensions.value_or(profile.dimensions_field) && identity.dimension > 0)
    body["dimensions"] = identity.dimension;
  json& input = body["input"] = json::array();
  for (const std::string& text : texts) input.push_back(prefix + text);
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

namespace {

Usage read_rows(const dom::element& reply, std::size_t count, std::uint32_t& dimension, std::vector<float>& values) {
  if (const std::string error = error_text(reply); !error.empty()) reject("the server reports: " + error);
  const auto data = array_of(member(reply, "data"));
  if (!data) reject("the reply has no data");

  const std::size_t begin = values.size();
  std::vector<bool> seen(count);
  std::vector<float> row;
  std::size_t position = 0;
  for (const dom::element item : *data) {
    const auto given = member(item, "index");
    const auto index = given ? count_of(given) : std::optional<std::uint64_t>(position);
    ++position;
    if (!index || *index >= count) reject("the reply has a vector for a text that was not sent");
    if (seen[*index]) reject("the reply has two vectors for text " + std::to_string(*index));
    seen[*index] = true;
    read_row(item, row);
    if (dimension == 0) dimension = static_cast<std::uint32_t>(row.size());
    if (row.size() != dimension || row.empty())
      throw Error(Errc::dimension_mismatch, "vector " + std::to_string(*index) + " has dimension " +
                                                std::to_string(row.size()) + ", not " + std::to_string(dimension));
    check_row(row, *index);
    values.resize(begin + count * dimension);
    std::copy(row.begin(), row.end(), values.begin() + static_cast<std::ptrdiff_t>(begin + *index * dimension));
  }
  if (position != count)
    reject("the reply has " + std::to_string(position) + " vectors for " + std::to_string(count) + " texts");
  Usage usage;
  read_usage(reply, usage);
  return usage;
}

}  // namespace

Usage read_embeddings(std::string_view body, std::size_t count, std::uint32_t& dimension, std::vector<float>& values) {
  dom::parser parser = reply_parser();
  dom::element reply;
  if (const auto code = parser.parse(body.data(), body.size()).get(reply); code != simdjson::SUCCESS) {
    if (code == simdjson::NUMBER_ERROR) reject("the reply holds a number that no vector may hold");
    throw no_json(body);
  }
  return read_paid(reply, [&] { return read_rows(reply, count, dimension, values); });
}

}  // namespace ragstone::detail
