#pragma once

#include "rag/ingest_plan.hpp"
#include "rag/scan.hpp"
#include <ragstone/async/task.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace ragstone {

/// How many texts and tokens of a group a byte of source text makes.
class TextRates {
 public:
  /// What a source of this size makes, at an estimate; with fractions, so that sums of many come out right.
  struct Amount {
    double texts = 0;
    double tokens = 0;
  };
  Amount of(const std::string& group, std::uint64_t bytes) const;

  bool from_stored(const std::string& group) const { return rates_.contains(group); }

 private:
  friend Task<TextRates> sample_rates(std::shared_ptr<DocumentCore> core, std::shared_ptr<const Records> records,
                                      std::shared_ptr<const IngestPlan> plan, CallContext context);
  struct Rate {
    double texts = 0;
    double tokens = 0;
    double bytes = 0;
  };
  std::map<std::string, Rate> rates_;
};

/// Takes the rates of the plan's groups that have embedders' columns from at most 32 of the stored sources, spread
/// evenly over their ids, and at most 64 nodes of each.
Task<TextRates> sample_rates(std::shared_ptr<DocumentCore> core, std::shared_ptr<const Records> records,
                             std::shared_ptr<const IngestPlan> plan, CallContext context);

}  // namespace ragstone
