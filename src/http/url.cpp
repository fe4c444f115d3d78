#include "http/url.hpp"

#include <ragstone/base/error.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <memory>
#include <new>

#include <curl/curl.h>

namespace ragstone::detail {
namespace {

class FreeHandle {
 public:
  void operator()(CURLU* handle) const noexcept { curl_url_cleanup(handle); }
};

using Handle = std::unique_ptr<CURLU, FreeHandle>;

std::string part(CURLU* handle, CURLUPart what, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(handle, what, &text, flags) != CURLUE_OK) return {};
  const std::unique_ptr<char, decltype(&curl_free)> owner(text, &curl_free);
  return text;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

}  // namespace

std::string without_query(std::string_view url) { return std::string(url.substr(0, url.find_first_of("?#"))); }

Url Url::parse(const std::string& text) {
  const Handle handle(curl_url());
  if (!handle) throw std::bad_alloc();
  const auto refuse = [&](const std::string& why) {
    throw Error(Errc::invalid_argument, "URL '" + without_query(text.substr(0, 200)) + "': " + why);
  };
  if (const CURLUcode code = curl_url_set(handle.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME);
      code != CURLUE_OK)
    refuse(curl_url_strerror(code));
  const std::string scheme = lower(part(handle.get(), CURLUPART_SCHEME));
  if (scheme != "http" && scheme != "https") refuse("only http and https are allowed");
  // The text of a user would be in this message.
  if (!part(handle.get(), CURLUPART_USER).empty() || !part(handle.get(), CURLUPART_PASSWORD).empty())
    throw Error(Errc::invalid_argument, "a URL with a user or password is not allowed; pass keys as such");
  Url url;
  url.host_ = lower(part(handle.get(), CURLUPART_HOST));
  if (url.host_.empty()) refuse("it has no host");
  if (url.host_.starts_with('[')) url.host_ = url.host_.substr(1, url.host_.find(']') - 1);
  url.text_ = part(handle.get(), CURLUPART_URL);
  const std::string port = part(handle.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  std::from_chars(port.data(), port.data() + port.size(), url.port_);
  url.origin_ = scheme + "://" + url.host_ + ":" + port;
  return url;
}

Url Url::resolve(const std::string& location) const {
  const Handle handle(curl_url());
  if (!handle) throw std::bad_alloc();
  curl_url_set(handle.get(), CURLUPART_URL, text_.c_str(), 0);
  if (curl_url_set(handle.get(), CURLUPART_URL, location.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
    throw Error(Errc::rejected, without_query(text_) + ": redirects to something that is no URL");
  return parse(part(handle.get(), CURLUPART_URL));
}

}  // namespace ragstone::detail
