#include "support/http/requests.hpp"

#include "support/canary.hpp"

#include <utility>

namespace ragstone::test {

HttpOptions local_options() {
  HttpOptions options;
  options.addresses = AddressPolicy::with_local();
  return options;
}

HttpRequest get(const std::string& url) {
  HttpRequest request;
  request.url = url;
  request.bearer = Secret(kCanary);
  return request;
}

Task<std::string> read_all(HttpClient client, HttpRequest request, CallContext context) {
  HttpStream stream = co_await client.open(std::move(request), context);
  std::string all;
  std::string bytes;
  while (true) {
    if (stream.take(bytes)) {
      all += bytes;
    } else if (stream.ended()) {
      co_return all;
    } else {
      co_await stream.wait(context);
    }
  }
}

}  // namespace ragstone::test
