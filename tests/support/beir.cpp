#include "support/beir.hpp"

#include "support/data.hpp"

namespace ragstone::test {

BeirCollection load_beir(const std::filesystem::path& folder) {
  BeirOptions options;
  options.unpack = read_gz;
  return ragstone::load_beir(folder, options);
}

}  // namespace ragstone::test
