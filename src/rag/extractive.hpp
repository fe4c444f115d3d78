#pragma once

#include <ragstone/rag/answer.hpp>
#include <ragstone/rag/assistant.hpp>

#include <string_view>
#include <vector>

namespace ragstone {

/// Fills in text, citations and outcome of an answer from its passages, without a model: see ExtractiveOptions. The
/// text is one sentence a line, each with its mark.
void answer_by_extraction(std::string_view question, const Analyzer& analyzer, const ExtractiveOptions& options,
                          Answer& answer);

}  // namespace ragstone
