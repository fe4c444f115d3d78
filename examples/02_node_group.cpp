// 2. Node groups of your own: find small pieces, answer with large ones.
//
// A node group is all the nodes that one chunker makes from the nodes of a parent group. Here paragraphs are cut into
// lines. A question is compared with lines, which are about one thing each; the answer is the whole paragraph.

#include <ragstone/ragstone.hpp>

#include <iostream>

namespace {

const char kManual[] =
    "# Keys\n"
    "\n"
    "Signing keys are rotated every ninety days.\n"
    "The rotation is done by `keyctl rotate` on the primary server.\n"
    "Afterwards the old key stays valid for a week.\n"
    "\n"
    "# 备份\n"
    "\n"
    "数据库每天凌晨两点备份一次。\n"
    "备份文件保留三十天，之后自动删除。\n"
    "恢复演练每季度进行一次。\n";

void print(const std::vector<ragstone::Hit>& hits) {
  for (const auto& hit : hits) {
    std::cout << "  [" << hit.group << ' ' << hit.number << ", bytes " << hit.span.begin << '-' << hit.span.end << "]\n"
              << hit.text << '\n';
  }
}

}  // namespace

int main() {
  ragstone::Runtime runtime;
  ragstone::DocumentOptions options;
  auto document = runtime.run(ragstone::Document::open(runtime, options));

  // Groups may be added at any time, also when there are sources already. Nothing is cut before somebody asks.
  ragstone::NodeGroup paragraphs("Paragraph", ragstone::paragraph_chunker());
  ragstone::NodeGroup lines("Line", ragstone::line_chunker(), "Paragraph");
  document.add_group(paragraphs);
  document.add_group(lines);

  ragstone::Source manual("manual.md", kManual);
  runtime.run(document.add(manual));

  ragstone::RetrieverOptions small;
  small.group = "Line";
  small.top_k = 1;
  ragstone::Retriever by_line(document, small);

  // The same search, but each hit is replaced by its ancestor in `target`, which keeps the hit's score. A target may
  // also be a group below or beside the one that is searched.
  ragstone::RetrieverOptions large = small;
  large.target = "Paragraph";
  ragstone::Retriever by_paragraph(document, large);

  for (const char* question : {"Which command rotates keys?", "备份文件何时删除？"}) {
    std::cout << question << '\n';
    print(runtime.run(by_line.retrieve(question)));
    print(runtime.run(by_paragraph.retrieve(question)));
    std::cout << '\n';
  }

  // Nodes can be read without a question too, in the order of the text.
  ragstone::NodeQuery query;
  query.group = "Line";
  const auto nodes = runtime.run(document.nodes(query));
  std::cout << nodes.size() << " lines in " << document.groups().size() << " groups:";
  for (const auto& name : document.groups()) std::cout << ' ' << name;
  std::cout << '\n';
}
