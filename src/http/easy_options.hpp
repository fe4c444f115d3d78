#pragma once

#include <ragstone/http/http_client.hpp>

#include <curl/curl.h>

namespace ragstone::detail {

/// Initialises libcurl once in a process. Errors: Errc::unsupported.
void init_curl();

/// libcurl's defaults are open; this is the one place that closes them: protocols, redirects, credentials,
/// certificates, environment. For every handle, before anything else is set.
void lock_down(CURL* easy, const HttpOptions& options);

/// What is particular to a request; returns the header list that the handle uses. `transfer` gets the callbacks.
curl_slist* set_request(CURL* easy, const HttpRequest& request, const HttpOptions& options, bool streams);

}  // namespace ragstone::detail
