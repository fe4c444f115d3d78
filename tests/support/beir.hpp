#pragma once

#include <ragstone/rag/beir.hpp>

#include <filesystem>

namespace ragstone::test {

/// ragstone::load_beir(), which also reads packed files here.
BeirCollection load_beir(const std::filesystem::path& folder);

}  // namespace ragstone::test
