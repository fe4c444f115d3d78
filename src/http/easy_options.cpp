#include "http/easy_options.hpp"

#include <ragstone/base/error.hpp>

#include <algorithm>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include <openssl/ssl.h>

namespace ragstone::detail {
namespace {

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  if (const CURLcode code = curl_easy_setopt(easy, option, value); code != CURLE_OK)
    throw Error(Errc::unsupported,
                std::string("libcurl refuses an option that Ragstone needs: ") + curl_easy_strerror(code));
}

class HeaderList {
 public:
  HeaderList() = default;
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  ~HeaderList() { curl_slist_free_all(list_); }

  void add(const std::string& line) {
    curl_slist* longer = curl_slist_append(list_, line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    list_ = longer;
  }
  curl_slist* release() noexcept { return std::exchange(list_, nullptr); }

 private:
  curl_slist* list_ = nullptr;
};

bool is_token(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

/// A value with a line end would begin a header of its own.
bool is_value(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 && byte != 0x7F) || byte == '\t';
  });
}

/// libcurl (7.88) reads SSLKEYLOGFILE as it is initialised, and would write each connection's keys there.
CURLcode log_no_keys(CURL*, void* context, void*) {
  SSL_CTX_set_keylog_callback(static_cast<SSL_CTX*>(context), nullptr);
  return CURLE_OK;
}

/// The library behind libcurl is the one that Ragstone is linked with.
bool uses_openssl() {
  const curl_version_info_data* info = curl_version_info(CURLVERSION_NOW);
  return info->ssl_version != nullptr && std::string_view(info->ssl_version).starts_with("OpenSSL/");
}

}  // namespace

void init_curl() {
  static const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (result != CURLE_OK) throw Error(Errc::unsupported, "libcurl cannot be initialised");
  static const curl_version_info_data* info = curl_version_info(CURLVERSION_NOW);
  if ((info->features & CURL_VERSION_SSL) == 0 || (info->features & CURL_VERSION_ASYNCHDNS) == 0)
    throw Error(Errc::unsupported, "libcurl was built without TLS or without asynchronous name resolution");
}

void lock_down(CURL* easy, const HttpOptions& options) {
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_FOLLOWLOCATION, 0L);  // HttpClient does, with checks
  set(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  set(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(easy, CURLOPT_UNRESTRICTED_AUTH, 0L);
  set(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  set(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  set(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  static const bool openssl = uses_openssl();
  if (openssl) set(easy, CURLOPT_SSL_CTX_FUNCTION, &log_no_keys);
  if (!options.ca_file.empty()) {
    set(easy, CURLOPT_CAINFO, options.ca_file.c_str());
    set(easy, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  // The driver chooses a proxy for each request; libcurl does not ask the environment.
  set(easy, CURLOPT_PROXY, "");
  set(easy, CURLOPT_NOPROXY, "");
  set(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_NOPROGRESS, 1L);
  // A transfer that ends while its name is being looked up must not wait for the resolver's thread.
  set(easy, CURLOPT_QUICK_EXIT, 1L);
  set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(options.http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
  set(easy, CURLOPT_HTTP09_ALLOWED, 0L);
  set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  set(easy, CURLOPT_USERAGENT, options.user_agent.c_str());
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(1, options.connect_timeout.count())));
}

curl_slist* set_request(CURL* easy, const HttpRequest& request, const HttpOptions&, bool streams) {
  if (!is_token(request.method))
    throw Error(Errc::invalid_argument, "HTTP request: '" + request.method + "' is no method");
  HeaderList list;
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name) || !is_value(value))
      throw Error(Errc::invalid_argument,
                  "HTTP request: the header field '" + name + "' holds characters that it may not");
    list.add(value.empty() ? name + ";" : name + ": " + value);
  }
  if (!request.bearer.empty()) {
    if (!is_value(request.bearer.reveal()))
      throw Error(Errc::invalid_argument, "HTTP request: the key holds characters that a header may not");
    if (!request.key_header.empty() && !is_token(request.key_header))
      throw Error(Errc::invalid_argument, "HTTP request: '" + request.key_header + "' is no name of a header field");
    list.add((request.key_header.empty() ? "Authorization: Bearer " : request.key_header + ": ") +
             request.bearer.reveal());
  }
  list.add("Expect:");  // libcurl would wait for "100 Continue" before large bodies
  set(easy, CURLOPT_URL, request.url.c_str());
  set(easy, CURLOPT_PIPEWAIT, request.url.starts_with("https:") ? 1L : 0L);
  // Compressed events might wait in the compressor until there are many.
  set(easy, CURLOPT_ACCEPT_ENCODING, streams ? static_cast<const char*>(nullptr) : "");
  const bool has_body = !request.body.empty() || request.method == "POST" || request.method == "PUT";
  if (request.method == "HEAD") {
    set(easy, CURLOPT_NOBODY, 1L);
  } else if (has_body) {
    set(easy, CURLOPT_POST, 1L);  // also undoes NOBODY
    set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(easy, CURLOPT_POSTFIELDS, request.body.data());
  } else {
    set(easy, CURLOPT_HTTPGET, 1L);
  }
  const bool plain = request.method == "HEAD" || request.method == (has_body ? "POST" : "GET");
  set(easy, CURLOPT_CUSTOMREQUEST, plain ? static_cast<const char*>(nullptr) : request.method.c_str());
  curl_slist* fields = list.release();
  if (curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fields) != CURLE_OK) {
    curl_slist_free_all(fields);
    throw std::bad_alloc();
  }
  return fields;
}

}  // namespace ragstone::detail
