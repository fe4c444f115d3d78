#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace ragstone::test {

/// What host names resolve to in this process, numbers aside: the addresses that a test gave, or nothing. It stands in
/// front of the C library's getaddrinfo(), so that libcurl gets these answers too; no packet goes to a name server.
/// One at a time; thread-safe.
class ScriptedNames {
 public:
  ScriptedNames();
  ScriptedNames(const ScriptedNames&) = delete;
  ScriptedNames& operator=(const ScriptedNames&) = delete;
  ~ScriptedNames();

  /// The answers one after the other, each a list of addresses; the last one again and again.
  void set_answers(const std::string& name, std::vector<std::vector<std::string>> answers);
  void set(const std::string& name, const std::string& address) { set_answers(name, {{address}}); }
  /// How often a name was asked for.
  std::size_t lookups(const std::string& name) const;
};

}  // namespace ragstone::test
