// 3. Metadata and filters: ask a part of the knowledge base.
//
// Metadata are names with single values (text, integer, double, bool). A source's metadata hold for all its nodes.

#include <ragstone/ragstone.hpp>

#include <iostream>

namespace {

ragstone::Source release_note(const std::string& id, const std::string& text, int year, const std::string& language) {
  ragstone::Metadata metadata;
  metadata.set("year", year);
  metadata.set("语言", language);
  return ragstone::Source(id, text, metadata);
}

}  // namespace

int main() {
  ragstone::Runtime runtime;
  ragstone::DocumentOptions options;
  // Fields that filters often ask for can be declared: their values are then kept in columns, so that a filter takes
  // about a nanosecond a row. Any other field can be asked for too, and may be declared at a later start.
  options.fields.emplace_back("year", ragstone::FieldKind::integer);
  options.fields.emplace_back("语言", ragstone::FieldKind::text);
  auto document = runtime.run(ragstone::Document::open(runtime, options));

  std::vector<ragstone::Source> notes;
  notes.push_back(release_note("2023/en", "The cache is now shared by all workers.", 2023, "en"));
  notes.push_back(release_note("2024/en", "The cache is written to disk when the server stops.", 2024, "en"));
  notes.push_back(release_note("2025/en", "The cache can be encrypted.", 2025, "en"));
  notes.push_back(release_note("2025/zh", "缓存 (cache) 现在可以加密。", 2025, "zh"));

  // Many sources at once; one that fails would be told in its status and would stop no other.
  for (const auto& status : runtime.run(document.add_all(notes)))
    if (status.state == ragstone::SourceState::failed) std::cerr << status.id << ": " << status.reason << '\n';

  ragstone::Retriever retriever(document, ragstone::RetrieverOptions());

  // Filters are written like Milvus' expressions: parsed from text that a user typed, with the position of a mistake
  // ...
  for (const char* text :
       {"", "year >= 2024", "year in [2023, 2024] and 语言 == 'en'", "语言 like \"z%\"", "year >="}) {
    try {
      ragstone::Query query("cache");
      query.filter = ragstone::Filter::parse(text);
      std::cout << "where " << (*text != '\0' ? text : "anything") << ":\n";
      for (const auto& hit : runtime.run(retriever.retrieve(query)))
        std::cout << "  " << hit.source << ": " << hit.text << '\n';
    } catch (const ragstone::FilterSyntaxError& error) {
      std::cout << error.what() << '\n';
    }
  }

  // ... or built in C++, where values need no quoting.
  ragstone::Query query("cache");
  query.filter = ragstone::field("year") >= 2025 && !(ragstone::field("语言") == "zh");
  std::cout << "where " << query.filter.to_string() << ":\n";
  for (const auto& hit : runtime.run(retriever.retrieve(query)))
    std::cout << "  " << hit.source << ", year " << std::get<std::int64_t>(*hit.metadata.find("year")) << '\n';

  // A retriever can have a filter of its own, which no query can widen.
  ragstone::RetrieverOptions english;
  english.filter = ragstone::field("语言") == "en";
  ragstone::Retriever english_only(document, english);
  std::cout << runtime.run(english_only.retrieve("缓存 cache")).size() << " English notes\n";
}
