#include <ragstone/base/error.hpp>
#include <ragstone/rag/beir.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <nlohmann/json.hpp>

namespace ragstone {
namespace {

using Path = std::filesystem::path;

bool is_file(const Path& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

Path packed(const Path& path) { return path.string() + ".gz"; }

bool is_there(const Path& path) { return is_file(path) || is_file(packed(path)); }

/// The lines of a file that are not empty, and where one is.
class Lines {
 public:
  Lines(const Path& path, const BeirOptions& options) : path_(path) {
    if (is_file(path)) {
      input_ = std::make_unique<std::ifstream>(path, std::ios::binary);
      if (!*input_) throw Error(Errc::io_error, "load_beir: " + path.string() + " cannot be read");
    } else if (!is_file(packed(path))) {
      throw Error(Errc::not_found, "load_beir: there is no file " + path.string());
    } else if (!options.unpack) {
      throw Error(Errc::unsupported,
                  "load_beir: " + packed(path).string() + " is packed; unpack it (gunzip), or set BeirOptions::unpack");
    } else {
      input_ = std::make_unique<std::istringstream>(options.unpack(packed(path)));
    }
  }

  bool next() {
    while (std::getline(*input_, line_)) {
      ++number_;
      if (!line_.empty() && line_.back() == '\r') line_.pop_back();
      if (!line_.empty()) return true;
    }
    if (input_->bad()) throw Error(Errc::io_error, "load_beir: " + path_.string() + " cannot be read to its end");
    return false;
  }
  const std::string& line() const noexcept { return line_; }
  std::size_t number() const noexcept { return number_; }

  [[noreturn]] void refuse(const std::string& reason) const {
    throw Error(Errc::parse_error,
                "load_beir: " + path_.string() + ", line " + std::to_string(number_) + ": " + reason);
  }

 private:
  const Path path_;
  std::unique_ptr<std::istream> input_;
  std::string line_;
  std::size_t number_ = 0;
};

std::string id_of(const nlohmann::json& json, const Lines& lines) {
  const auto id = json.find("_id");
  if (id != json.end() && id->is_string() && !id->get_ref<const std::string&>().empty()) return id->get<std::string>();
  if (id != json.end() && id->is_number_integer()) return id->dump();
  lines.refuse("it has no \"_id\" that is a text");
}

/// Empty where it is missing or null.
std::string text_of(const nlohmann::json& json, const char* name, const Lines& lines) {
  const auto text = json.find(name);
  if (text == json.end() || text->is_null()) return {};
  if (!text->is_string()) lines.refuse('"' + std::string(name) + "\" is no text");
  return text->get<std::string>();
}

std::vector<BeirText> read_texts(const Path& path, const BeirOptions& options) {
  std::vector<BeirText> texts;
  std::unordered_set<std::string> ids;
  for (Lines lines(path, options); lines.next();) {
    const auto json = nlohmann::json::parse(lines.line(), nullptr, false);
    if (!json.is_object()) lines.refuse("it is no JSON object");
    if (!json.contains("text")) lines.refuse("it has no \"text\"");
    BeirText& text = texts.emplace_back();
    text.id = id_of(json, lines);
    if (!ids.insert(text.id).second) lines.refuse("the id \"" + text.id + "\" comes twice");
    text.text = text_of(json, "title", lines);
    if (!text.text.empty()) text.text += ' ';
    text.text += text_of(json, "text", lines);
  }
  return texts;
}

struct Judgement {
  std::string_view query;
  std::string_view text;
  int grade = 0;
};

/// None for a line of names.
std::optional<Judgement> parse_judgement(const Lines& lines) {
  std::array<std::string_view, 3> fields;
  std::string_view rest = lines.line();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::size_t end = rest.find('\t');
    if ((end == rest.npos) != (i + 1 == fields.size()))
      lines.refuse("it has not 3 fields, which are query id, corpus id and grade, divided by tabs");
    fields[i] = rest.substr(0, end);
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  }
  Judgement judgement{fields[0], fields[1], 0};
  const char* end = fields[2].data() + fields[2].size();
  const auto [stop, error] = std::from_chars(fields[2].data(), end, judgement.grade);
  if (error == std::errc() && stop == end) return judgement;
  if (lines.number() == 1) return std::nullopt;
  lines.refuse("the grade is no whole number");
}

Path judgements_file(const Path& folder, const BeirOptions& options) {
  constexpr std::array<const char*, 3> kSplits = {"test", "dev", "train"};
  const auto file_of = [&](const std::string& split) { return folder / "qrels" / (split + ".tsv"); };
  if (!options.split.empty()) {
    if (std::count(kSplits.begin(), kSplits.end(), options.split) == 0)
      throw Error(Errc::invalid_argument,
                  "load_beir: there is no split \"" + options.split + "\"; splits are \"test\", \"dev\" and \"train\"");
    return file_of(options.split);
  }
  for (const char* split : kSplits)
    if (is_there(file_of(split))) return file_of(split);
  if (is_there(folder / "qrels.tsv")) return folder / "qrels.tsv";
  throw Error(Errc::not_found,
              "load_beir: " + folder.string() + " has no qrels/test.tsv, dev.tsv or train.tsv, and no qrels.tsv");
}

}  // namespace

BeirCollection load_beir(const std::filesystem::path& folder, const BeirOptions& options) {
  BeirCollection collection;
  collection.name = (folder.has_filename() ? folder : folder.parent_path()).filename().string();
  collection.corpus = read_texts(folder / "corpus.jsonl", options);
  std::unordered_set<std::string_view> texts;
  for (const BeirText& text : collection.corpus) texts.insert(text.id);
  std::unordered_map<std::string_view, std::size_t> numbers;
  std::vector<BeirText> queries = read_texts(folder / "queries.jsonl", options);
  for (std::size_t i = 0; i < queries.size(); ++i) numbers.emplace(queries[i].id, i);

  std::vector<Judgements> judgements(queries.size());
  for (Lines lines(judgements_file(folder, options), options); lines.next();) {
    const std::optional<Judgement> judgement = parse_judgement(lines);
    if (!judgement) continue;
    const auto query = numbers.find(judgement->query);
    if (query == numbers.end() || !texts.contains(judgement->text)) {
      ++collection.skipped_judgements;
    } else if (judgement->grade > 0) {
      judgements[query->second][std::string(judgement->text)] = judgement->grade;
    }
  }
  for (std::size_t i = 0; i < queries.size(); ++i) {
    if (judgements[i].empty()) continue;
    JudgedQuery& judged = collection.queries.emplace_back();
    judged.id = std::move(queries[i].id);
    judged.text = std::move(queries[i].text);
    judged.judgements = std::move(judgements[i]);
  }
  if (collection.queries.empty())
    throw Error(Errc::not_found, "load_beir: " + folder.string() + " has no query with a relevant text (" +
                                     std::to_string(collection.skipped_judgements) +
                                     " judgements are of texts or queries that it does not have)");
  return collection;
}

}  // namespace ragstone
