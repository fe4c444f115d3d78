#include "support/data.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>

#include <zlib.h>

namespace ragstone::test {
namespace {

std::vector<std::string> split_lines(const std::string& bytes) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < bytes.size();) {
    const std::size_t end = std::min(bytes.find('\n', begin), bytes.size());
    lines.push_back(bytes.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

}  // namespace

std::optional<std::filesystem::path> find_data(const std::filesystem::path& relative) {
  const char* root = std::getenv("RAGSTONE_DATA");
  if (!root || !*root) return std::nullopt;
  const std::filesystem::path path = std::filesystem::path(root) / relative;
  return std::filesystem::exists(path) ? std::optional(path) : std::nullopt;
}

bool data_required() {
  const char* value = std::getenv("RAGSTONE_REQUIRE_DATA");
  return value && std::string_view(value) == "1";
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot open " + path.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> read_lines(const std::filesystem::path& path) { return split_lines(read_file(path)); }

std::string read_gz(const std::filesystem::path& path) {
  const std::unique_ptr<gzFile_s, decltype(&gzclose)> file(gzopen(path.c_str(), "rb"), gzclose);
  if (!file) throw std::runtime_error("cannot open " + path.string());
  std::string bytes;
  std::vector<char> buffer(1 << 16);
  int size = 0;
  while ((size = gzread(file.get(), buffer.data(), static_cast<unsigned>(buffer.size()))) > 0)
    bytes.append(buffer.data(), static_cast<std::size_t>(size));
  int code = Z_OK;
  gzerror(file.get(), &code);
  if (size < 0 || code != Z_OK) throw std::runtime_error("damaged gzip file " + path.string());
  return bytes;
}

std::vector<std::string> read_gz_lines(const std::filesystem::path& path) { return split_lines(read_gz(path)); }

std::vector<std::string_view> split_tabs(std::string_view line) {
  std::vector<std::string_view> fields;
  for (;;) {
    const std::size_t end = line.find('\t');
    fields.push_back(line.substr(0, end));
    if (end == std::string_view::npos) return fields;
    line.remove_prefix(end + 1);
  }
}

}  // namespace ragstone::test
