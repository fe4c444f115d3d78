#pragma once

#include "rag_fixture.hpp"

#include <chrono>
#include <filesystem>
#include <string>

namespace ragstone::test {

inline void write_files(const TemporaryFolder& folder, int count) {
  for (int i = 0; i < count; ++i)
    folder.write("part" + std::to_string(i % 7) + "/file" + std::to_string(i) + ".md",
                 "# Title " + std::to_string(i) + "\n\nParagraph about subject" + std::to_string(i) + ".\n\n第" +
                     std::to_string(i) + "个主题。\n");
}

/// Files as they are after some time: a stamp from long ago is trusted.
inline void age(const TemporaryFolder& folder) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path()))
    if (entry.is_regular_file())
      std::filesystem::last_write_time(entry.path(),
                                       std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
}

}  // namespace ragstone::test
