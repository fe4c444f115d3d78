#pragma once

#include "support/http/scripted_server.hpp"

#include <string>
#include <vector>

namespace ragstone::test {

/// What the server that a ProviderProfile of this name is for answers, with its own routes, field names, limits,
/// defaults and errors, as its documentation and source tell them. It refuses what the real one refuses or silently
/// drops.
///
/// Chat answers with "你好 there", or with `{"answer":"yes"}` where a schema is asked for; a text's vector has its
/// bytes as first element; a reranked text's score is its number of bytes (TEI's n / (n + 1), unless raw scores are
/// asked for), of which a server that reads so many tokens takes four for each.
ServerReply reply_of_provider(const std::string& provider, const ServerRequest& request);

/// A vector as servers send it that are asked for base64: its floats, little-endian.
std::string base64(const std::vector<float>& row);

}  // namespace ragstone::test
