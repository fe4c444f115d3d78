#include <ragstone/base/error.hpp>
#include <ragstone/http/secret.hpp>

#include <cstdlib>
#include <ostream>

namespace ragstone {

std::ostream& operator<<(std::ostream& out, const Secret& secret) {
  return out << (secret.empty() ? "[no secret]" : "[secret]");
}

KeySource KeySource::environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0')
    throw Error(Errc::not_found, "the environment variable " + name + " holds no key; set it, or name another");
  return fixed(Secret(value));
}

KeySource KeySource::fixed(Secret secret) {
  return KeySource([secret = std::move(secret)] { return secret; });
}

}  // namespace ragstone
