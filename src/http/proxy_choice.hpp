#pragma once

#include "http/url.hpp"
#include <ragstone/http/http_client.hpp>

#include <string>
#include <string_view>

namespace ragstone::detail {

/// The proxy that a request for a URL goes through; empty: none, the connection leads to the URL's host itself.
///
/// With HttpOptions::proxy_from_environment it is what http_proxy (lower case only, as a CGI program's HTTP_PROXY is a
/// client's header), https_proxy or HTTPS_PROXY, or else all_proxy or ALL_PROXY name, unless no_proxy or NO_PROXY lists
/// the host. Found here and not by libcurl: addresses are checked where, and only where, no proxy is asked.
std::string proxy_for(const Url& url, const HttpOptions& options);

/// Whether a list as in no_proxy ("localhost, .example.org", or "*") has a host: itself, or a domain that it is in.
bool is_exempt(std::string_view list, std::string_view host);

}  // namespace ragstone::detail
