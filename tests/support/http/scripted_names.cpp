#include "support/http/scripted_names.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

#include <dlfcn.h>
#include <netdb.h>
#include <sys/socket.h>

namespace ragstone::test {
namespace {

class Answers {
 public:
  std::vector<std::vector<std::string>> all;
  std::size_t lookups = 0;
};

std::mutex mutex;
bool active = false;
std::map<std::string, Answers> names;

int real_getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** result) {
  static const auto real = reinterpret_cast<decltype(&::getaddrinfo)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  return real(host, service, hints, result);
}

/// None where the C library is to answer.
std::optional<std::vector<std::string>> answer(const std::string& host) {
  const std::lock_guard lock(mutex);
  if (!active) return std::nullopt;
  const auto found = names.find(host);
  if (found == names.end()) return std::vector<std::string>();
  Answers& answers = found->second;
  return answers.all[std::min(answers.lookups++, answers.all.size() - 1)];
}

int resolve(const char* host, const char* service, const addrinfo* hints, addrinfo** result) {
  addrinfo numeric{};
  if (hints != nullptr) numeric = *hints;
  numeric.ai_flags |= AI_NUMERICHOST;
  if (host == nullptr || real_getaddrinfo(host, service, &numeric, result) == 0) {
    if (host == nullptr) return real_getaddrinfo(host, service, hints, result);
    return 0;
  }
  const auto addresses = answer(host);
  if (!addresses) return real_getaddrinfo(host, service, hints, result);
  addrinfo* first = nullptr;
  addrinfo** last = &first;
  for (const std::string& address : *addresses) {
    numeric.ai_family = AF_UNSPEC;
    if (real_getaddrinfo(address.c_str(), service, &numeric, last) != 0) continue;
    while (*last != nullptr) last = &(*last)->ai_next;
  }
  *result = first;
  return first == nullptr ? EAI_NONAME : 0;
}

}  // namespace

ScriptedNames::ScriptedNames() {
  const std::lock_guard lock(mutex);
  if (std::exchange(active, true)) throw std::logic_error("there are scripted names already");
}

ScriptedNames::~ScriptedNames() {
  const std::lock_guard lock(mutex);
  active = false;
  names.clear();
}

void ScriptedNames::set_answers(const std::string& name, std::vector<std::vector<std::string>> answers) {
  const std::lock_guard lock(mutex);
  names[name].all = std::move(answers);
}

std::size_t ScriptedNames::lookups(const std::string& name) const {
  const std::lock_guard lock(mutex);
  const auto found = names.find(name);
  return found == names.end() ? 0 : found->second.lookups;
}

}  // namespace ragstone::test

extern "C" int getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** result) {
  return ragstone::test::resolve(host, service, hints, result);
}
