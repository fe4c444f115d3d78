#pragma once

#include <ragstone/async/task.hpp>
#include <ragstone/http/http_client.hpp>

#include <string>

namespace ragstone::test {

/// Options of a client that may ask a server on loopback.
HttpOptions local_options();

/// With the key of all tests.
HttpRequest get(const std::string& url);

/// The body of the reply, read piece by piece as it arrives.
Task<std::string> read_all(HttpClient client, HttpRequest request, CallContext context = {});

}  // namespace ragstone::test
