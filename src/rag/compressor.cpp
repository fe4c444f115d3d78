#include "rag/compression.hpp"
#include "rag/fused_hits.hpp"
#include "rag/model_lines.hpp"
#include "rag/nonce.hpp"
#include "rag/prompt_texts.hpp"
#include "rag/prose.hpp"
#include "rag/quoted.hpp"
#include <ragstone/async/deadline.hpp>
#include <ragstone/async/gather.hpp>
#include <ragstone/async/offload.hpp>
#include <ragstone/async/run_scope.hpp>
#include <ragstone/base/error.hpp>
#include <ragstone/base/utf8.hpp>
#include <ragstone/rag/retrieval_steps.hpp>
#include <ragstone/text/analyzer.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace ragstone {
namespace {

class SentenceCompressor final : public Compressor {
 public:
  explicit SentenceCompressor(Pool pool) : pool_(std::move(pool)) {}

 private:
  Task<std::vector<Hit>> do_compress(std::string query, std::vector<Hit> hits, CallContext context) override {
    Work<std::vector<Hit>> work;
    work.set([analyzer = analyzer_, query = std::move(query), hits = std::move(hits)](const StopToken& stop) mutable {
      std::unordered_set<std::string> wanted;
      for (auto& entry : count_terms(*analyzer, query).terms) wanted.insert(std::move(entry.first));
      const auto is_wanted = [&](std::string_view sentence) {
        bool found = false;
        analyzer->visit(sentence, [&](std::string_view term, Span, std::uint32_t) {
          found = found || wanted.contains(std::string(term));
        });
        return found;
      };
      std::vector<Hit> kept;
      for (Hit& hit : hits) {
        throw_if_stopped(stop);
        std::vector<Span> parts;
        for (const Span sentence : prose_sentences(hit.text))
          if (is_wanted(sentence.of(hit.text))) parts.push_back(sentence);
        keep_parts(std::move(hit), parts, kept);
      }
      return kept;
    });
    const Lane lane = context.lane();
    return offload(pool_, lane, std::move(work), std::move(context));
  }

  const Pool pool_;
  const std::shared_ptr<const Analyzer> analyzer_ = standard_analyzer();
};

constexpr std::size_t kMostQuotations = 64;

/// A text without its white space: models that quote leave out where lines were broken.
class Unspaced {
 public:
  explicit Unspaced(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
      const auto decoded = utf8::decode(text, at);
      const char32_t c = decoded.code_point;
      const bool is_space = c == ' ' || (c >= '\t' && c <= '\r') || c == 0xA0 || c == 0x3000;
      for (std::size_t i = 0; i < decoded.size && !is_space; ++i) {
        bytes_ += text[at + i];
        places_.push_back(at + i);
      }
      at += decoded.size;
    }
  }

  /// Where a part stands in the text.
  std::optional<Span> find(const Unspaced& part) const {
    const std::size_t at = part.bytes_.empty() ? std::string::npos : bytes_.find(part.bytes_);
    if (at == std::string::npos) return std::nullopt;
    return Span{places_[at], places_[at + part.bytes_.size() - 1] + 1};
  }

 private:
  std::string bytes_;
  std::vector<std::size_t> places_;  // of each byte in the text
};

class LlmCompressor final : public Compressor {
 public:
  LlmCompressor(std::shared_ptr<ChatModel> model, std::size_t concurrency, OnMemberFailure on_failure)
      : model_(std::move(model)), concurrency_(concurrency), on_failure_(on_failure) {}

 private:
  Task<std::vector<Hit>> do_compress(std::string query, std::vector<Hit> hits, CallContext context) override {
    std::vector<Task<std::vector<Span>>> calls;
    for (const Hit& hit : hits) calls.push_back(parts_of(request_for(query, hit), hit, context));
    GatherOptions options;
    options.limit = concurrency_;
    const std::vector<std::vector<Span>> parts = co_await gather(std::move(calls), options);
    std::vector<Hit> kept;
    for (std::size_t i = 0; i < hits.size(); ++i) keep_parts(std::move(hits[i]), parts[i], kept);
    co_return kept;
  }

  /// What the model quotes; all of it where the model fails, and that may be.
  Task<std::vector<Span>> parts_of(ChatRequest request, const Hit& hit, CallContext context) {
    std::vector<Span> parts;
    std::exception_ptr error;
    try {
      const ChatReply reply = co_await model_->chat(std::move(request), context);
      const Unspaced text(hit.text);
      for (const std::string& line : model_lines(reply.text, kMostQuotations))
        if (const auto part = text.find(Unspaced(line))) parts.push_back(*part);
    } catch (...) {
      error = std::current_exception();
    }
    if (error && !may_degrade(error, on_failure_, context)) std::rethrow_exception(error);
    if (error) parts.push_back(Span{0, hit.text.size()});
    co_return parts;
  }

  static ChatRequest request_for(const std::string& query, const Hit& hit) {
    const PromptLanguage language = language_of(query);
    const std::string nonce = fresh_nonce();
    ChatRequest request;
    request.cache_key = hash128(std::vector<std::string_view>{"quote", query, hit.source, hit.text});  // without nonce
    request.messages.emplace_back(ChatRole::system, prompt_texts::quote_instruction(language));
    request.messages.emplace_back(ChatRole::user, prompt_texts::passage_head(language, nonce) +
                                                      quoted_passage(hit, 1, nonce) +
                                                      prompt_texts::question_line(language, query));
    return request;
  }

  const std::shared_ptr<ChatModel> model_;
  const std::size_t concurrency_;
  const OnMemberFailure on_failure_;
};

/// 0 where either is no direction.
double cosine(std::span<const float> a, std::span<const float> b) {
  double dot = 0;
  double square_a = 0;
  double square_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    dot += static_cast<double>(a[i]) * b[i];
    square_a += static_cast<double>(a[i]) * a[i];
    square_b += static_cast<double>(b[i]) * b[i];
  }
  const double value = dot / std::sqrt(square_a * square_b);
  return std::isfinite(value) ? value : 0;
}

class EmbeddingFilter final : public Compressor {
 public:
  EmbeddingFilter(std::shared_ptr<Embedder> embedder, EmbeddingFilterOptions options)
      : embedder_(std::move(embedder)), options_(options) {}

 private:
  Task<std::vector<Hit>> do_compress(std::string query, std::vector<Hit> hits, CallContext context) override {
    std::vector<std::string> asked(1, std::move(query));
    std::vector<std::string> texts;
    for (const Hit& hit : hits) texts.push_back(hit.text);
    const Embeddings wanted = co_await embedder_->embed(std::move(asked), EmbedRole::query, context);
    const Embeddings found = co_await embedder_->embed(std::move(texts), EmbedRole::document, context);
    std::vector<double> scores;
    for (std::size_t i = 0; i < hits.size(); ++i) scores.push_back(cosine(wanted.row(0), found.row(i)));
    std::vector<std::size_t> order(hits.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&scores](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
    if (order.size() > options_.top_k) order.resize(options_.top_k);
    if (options_.threshold) std::erase_if(order, [&](std::size_t i) { return scores[i] < *options_.threshold; });
    std::sort(order.begin(), order.end());
    std::vector<Hit> kept;
    for (const std::size_t i : order) {
      MemberRank rank;
      rank.member = "embedding_filter";
      rank.rank = kept.size() + 1;
      rank.score = scores[i];
      hits[i].ranks.push_back(std::move(rank));
      kept.push_back(std::move(hits[i]));
    }
    co_return kept;
  }

  const std::shared_ptr<Embedder> embedder_;
  const EmbeddingFilterOptions options_;
};

class Compressed final : public HitSource {
 public:
  Compressed(std::shared_ptr<HitSource> source, std::shared_ptr<Compressor> compressor)
      : HitSource("compressed"), source_(std::move(source)), compressor_(std::move(compressor)) {}

 private:
  Task<Retrieval> do_retrieve(Query query, CallContext context) override {
    std::string text = query.text;
    Retrieval retrieval = co_await source_->retrieve(std::move(query), context);
    std::vector<Hit> hits = std::move(retrieval.hits);
    retrieval.hits = co_await compressor_->compress(std::move(text), std::move(hits), context);
    co_return retrieval;
  }

  const std::shared_ptr<HitSource> source_;
  const std::shared_ptr<Compressor> compressor_;
};

}  // namespace

void keep_parts(Hit hit, const std::vector<Span>& parts, std::vector<Hit>& kept) {
  if (parts.empty()) return;
  Span whole = parts.front();
  for (const Span part : parts) whole = Span{std::min(whole.begin, part.begin), std::max(whole.end, part.end)};
  std::string text(whole.of(hit.text));
  if (hit.is_span) {
    if (hit.file_span.size() == hit.span.size())
      hit.file_span = Span{hit.file_span.begin + whole.begin, hit.file_span.begin + whole.end};
    hit.span = Span{hit.span.begin + whole.begin, hit.span.begin + whole.end};
  }
  clip_highlights(hit, whole);
  hit.text = std::move(text);
  kept.push_back(std::move(hit));
}

void clip_highlights(Hit& hit, Span part) {
  std::vector<Span> kept;
  for (const Span span : hit.highlights)
    if (span.overlaps(part))
      kept.push_back(Span{std::max(span.begin, part.begin) - part.begin, std::min(span.end, part.end) - part.begin});
  hit.highlights = std::move(kept);
}

Task<std::vector<Hit>> Compressor::compress(std::string query, std::vector<Hit> hits, CallContext context) {
  std::vector<Hit> kept;
  if (hits.empty()) co_return kept;
  Task<std::vector<Hit>> compressing = with_deadline(do_compress(std::move(query), std::move(hits), context), context);
  kept = co_await std::move(compressing);
  for (const Hit& hit : kept)
    if (hit.is_span && hit.span.size() != hit.text.size())
      throw Error(Errc::internal, "compressor: a hit of \"" + hit.source + "\" has a text that is not at its span");
  co_return kept;
}

std::shared_ptr<HitSource> compressed(std::shared_ptr<HitSource> source, std::shared_ptr<Compressor> compressor) {
  if (!source || !compressor) throw Error(Errc::invalid_argument, "compressed: needs a source and a compressor");
  return std::make_shared<Compressed>(std::move(source), std::move(compressor));
}

std::shared_ptr<Compressor> sentence_compressor(Pool pool) {
  return std::make_shared<SentenceCompressor>(std::move(pool));
}

std::shared_ptr<Compressor> llm_compressor(std::shared_ptr<ChatModel> model, std::size_t concurrency,
                                           OnMemberFailure on_failure) {
  if (!model || concurrency == 0)
    throw Error(Errc::invalid_argument, "llm_compressor: needs a model, and at least 1 call");
  return std::make_shared<LlmCompressor>(std::move(model), concurrency, on_failure);
}

std::shared_ptr<Compressor> embedding_filter(std::shared_ptr<Embedder> embedder, EmbeddingFilterOptions options) {
  if (!embedder || options.top_k == 0)
    throw Error(Errc::invalid_argument, "embedding_filter: needs an embedder, and top_k of at least 1");
  return std::make_shared<EmbeddingFilter>(std::move(embedder), options);
}

}  // namespace ragstone
