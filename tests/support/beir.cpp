#include "support/beir.hpp"

#include "support/data.hpp"

#include <charconv>
#include <stdexcept>
#include <unordered_set>

#include <nlohmann/json.hpp>

namespace ragstone::test {
namespace {

BeirText parse_text(const std::string& line) {
  const auto json = nlohmann::json::parse(line);
  const auto text = json.at("text").get<std::string>();
  const auto title = json.find("title");
  if (title == json.end()) return {json.at("_id").get<std::string>(), text};
  return {json.at("_id").get<std::string>(), title->get<std::string>() + ' ' + text};
}

std::vector<BeirText> parse_texts(const std::vector<std::string>& lines) {
  std::vector<BeirText> texts;
  texts.reserve(lines.size());
  for (const auto& line : lines) texts.push_back(parse_text(line));
  return texts;
}

int parse_score(std::string_view field) {
  int score = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), score);
  if (error != std::errc() || end != field.data() + field.size())
    throw std::runtime_error("no whole number: " + std::string(field));
  return score;
}

}  // namespace

BeirCollection load_beir(const std::filesystem::path& folder) {
  BeirCollection collection;
  collection.name = folder.filename().string();
  collection.corpus = parse_texts(read_gz_lines(folder / "corpus.jsonl.gz"));

  std::unordered_set<std::string> known;
  for (const auto& text : collection.corpus) known.insert(text.id);
  const auto lines = read_lines(folder / "qrels.tsv");
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto fields = split_tabs(lines[i]);
    if (fields.size() != 3) throw std::runtime_error("qrels.tsv: line " + std::to_string(i + 1) + " has not 3 fields");
    const std::string text(fields[1]);
    if (!known.contains(text)) throw std::runtime_error("qrels.tsv judges " + text + ", which does not exist");
    if (const int score = parse_score(fields[2]); score > 0)
      collection.judgements[std::string(fields[0])][text] = score;
  }

  collection.queries = parse_texts(read_lines(folder / "queries.jsonl"));
  std::erase_if(collection.queries, [&](const BeirText& query) { return !collection.judgements.contains(query.id); });
  if (collection.queries.empty()) throw std::runtime_error("no judged query in " + folder.string());
  return collection;
}

}  // namespace ragstone::test
