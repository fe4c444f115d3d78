#pragma once

#include "rag_fixture.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

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

/// Takes every file for its text whose name has that end.
class PlainReader final : public Reader {
 public:
  explicit PlainReader(std::string end) : end_(std::move(end)) {}

  bool accepts(std::string_view path) const noexcept override { return path.ends_with(end_); }
  const std::string& signature() const noexcept override { return signature_; }

 private:
  ReadText do_read(const RawFile& file, const StopToken&) const override {
    ReadText read;
    read.text = file.bytes;
    return read;
  }

  const std::string end_;
  const std::string signature_ = "plain/1";
};

}  // namespace ragstone::test
