// What every consumer project builds.
#include <ragstone/base/ids.hpp>
#include <ragstone/base/source.hpp>

#include <cstdio>

int main() {
  const ragstone::Source source("a.txt", "Keys are rotated every ninety days.");
  const ragstone::Hash128 hash = ragstone::hash128(source.text);
  std::printf("%s %s\n", source.id.c_str(), ragstone::to_string(hash).c_str());
  return ragstone::parse_hash128(ragstone::to_string(hash)) == hash ? 0 : 1;
}
