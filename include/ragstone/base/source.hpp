#pragma once

#include <ragstone/base/ids.hpp>
#include <ragstone/base/metadata.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace ragstone {

/// One text given to a Document by the caller (files of a dataset are read by sync() instead).
///
/// `id` names it in the Document: 1 to 4,096 bytes of valid UTF-8 without NUL. Adding a source under an id that
/// exists replaces the old one.
class Source {
 public:
  Source() = default;
  Source(std::string source_id, std::string source_text);
  Source(std::string source_id, std::string source_text, Metadata source_metadata);

  std::string id;
  std::string text;  ///< UTF-8; invalid bytes are an error, never replaced silently.
  Metadata metadata;
};

/// How far the processing of a source has come; for a failed source, the stage that failed.
enum class Stage { scan, load, read, chunk, analyze, embed, store, index, done };

const char* name_of(Stage stage) noexcept;

enum class SourceState {
  ready,   ///< Searchable in its present form.
  failed,  ///< The last attempt failed; an earlier form, if there was one, is still searchable.
};

/// What a Document knows about one source.
class SourceStatus {
 public:
  SourceStatus() = default;

  std::string id;
  SourceState state = SourceState::ready;
  Stage stage = Stage::done;
  std::string reason;            ///< Empty unless failed.
  std::uint32_t attempts = 0;    ///< Failed attempts since the last success.
  std::uint64_t text_bytes = 0;  ///< Size of the stored UTF-8 text.
  Hash128 content;               ///< Hash of the bytes that were read.
};

}  // namespace ragstone
