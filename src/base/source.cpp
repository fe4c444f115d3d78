#include <ragstone/base/source.hpp>

#include <utility>

namespace ragstone {

Source::Source(std::string source_id, std::string source_text)
    : id(std::move(source_id)), text(std::move(source_text)) {}

Source::Source(std::string source_id, std::string source_text, Metadata source_metadata)
    : id(std::move(source_id)), text(std::move(source_text)), metadata(std::move(source_metadata)) {}

const char* name_of(Stage stage) noexcept {
  switch (stage) {
    case Stage::scan:
      return "scan";
    case Stage::load:
      return "load";
    case Stage::read:
      return "read";
    case Stage::chunk:
      return "chunk";
    case Stage::analyze:
      return "analyze";
    case Stage::embed:
      return "embed";
    case Stage::store:
      return "store";
    case Stage::index:
      return "index";
    case Stage::done:
      return "done";
  }
  return "unknown";
}

}  // namespace ragstone
