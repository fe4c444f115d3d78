// An ingest that is killed: ragstone_ingest_child DATASET STORE
//
// Reads DATASET into a store with a cache of embeddings beside it. Each call of the embedder writes how many texts it
// has been given to standard output, as one byte below 64, before it computes; each source that is stored, "7.txt",
// writes 64 plus its number.
#include "unit/sqlite/ingest_case.hpp"

#include <cstdio>
#include <exception>
#include <string>

#include <unistd.h>

namespace {

void tell(std::size_t message) {
  const auto byte = static_cast<unsigned char>(message);
  if (::write(STDOUT_FILENO, &byte, 1) != 1) ::_exit(4);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return 2;
  try {
    ragstone::test::ingest(arguments[1], arguments[2], tell, [](const std::string& id) { tell(64 + std::stoul(id)); });
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ragstone_ingest_child: %s\n", error.what());
    return 3;
  }
}
