#include "rag/ingest.hpp"
#include <ragstone/base/utf8.hpp>

#include <utility>

namespace ragstone {

SourceFailure failure_of(const std::string& source, const StageError& error) {
  constexpr std::size_t kMaxReason = 2000;
  SourceFailure failure;
  failure.source = source;
  failure.stage = error.stage;
  for (const char c : message_of(error.error).substr(0, kMaxReason))
    failure.reason.push_back((c & 0x80) != 0 || static_cast<unsigned char>(c) >= 0x20 ? c : ' ');
  if (!utf8::is_valid(failure.reason)) failure.reason.resize(utf8::find_invalid(failure.reason));
  return failure;
}

SourceStatus status_of(const IngestResult& result) {
  SourceStatus status;
  status.id = result.id;
  status.text_bytes = result.text_bytes;
  status.content = result.content.value_or(Hash128());
  if (result.failure) {
    SourceFailure failure = failure_of(result.id, *result.failure);
    status.state = SourceState::failed;
    status.stage = failure.stage;
    status.reason = std::move(failure.reason);
    status.attempts = 1;
  }
  return status;
}

SourceStatus status_of(SourceRecord record) {
  SourceStatus status;
  status.id = std::move(record.id);
  status.state = record.state;
  status.stage = record.stage;
  status.reason = std::move(record.reason);
  status.attempts = record.attempts;
  status.text_bytes = record.text_bytes;
  status.content = record.content;
  return status;
}

}  // namespace ragstone
