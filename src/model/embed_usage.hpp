#pragma once

#include "model/paid_error.hpp"
#include <ragstone/async/call_context.hpp>
#include <ragstone/base/metadata.hpp>

#include <span>
#include <string>
#include <string_view>

/// What embedders and rerankers tell of their usage alike.
namespace ragstone {

/// `told` by the model, or else an estimate by the context's counter; empty without one.
Usage usage_or_estimate(const Usage& told, const CallContext& context, std::span<const std::string> texts);

/// The same of texts that a reranker ordered. A cross-encoder reads the query with each text.
Usage usage_or_estimate(const Usage& told, const CallContext& context, std::string_view query,
                        std::span<const std::string> texts);

/// Of a run that went well; nothing without observers.
Metadata usage_attributes(const CallContext& context, const Usage& usage);
/// Of a run that failed: the batches that went well have been paid for, whatever became of the others.
Metadata failure_attributes(const CallContext& context, const UsageSum& used);

}  // namespace ragstone
