#include "vector/kept.hpp"

#include "store/segment/file_system.hpp"
#include "store/segment/image_sink.hpp"

#include <fstream>
#include <stdexcept>
#include <vector>

namespace ragstone::bench {
namespace {

namespace fs = std::filesystem;

void write_values(std::ofstream& out, const std::vector<float>& values) {
  const std::size_t count = values.size();
  out.write(reinterpret_cast<const char*>(&count), sizeof count);
  out.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(count * sizeof(float)));
}

std::vector<float> read_values(std::ifstream& in) {
  std::size_t count = 0;
  in.read(reinterpret_cast<char*>(&count), sizeof count);
  if (!in) return {};
  std::vector<float> values(count);
  in.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(count * sizeof(float)));
  return values;
}

/// Makes a file that has its name only once it is whole.
template <class Write>
void finish(const fs::path& path, Write write) {
  const fs::path unfinished = path.string() + ".unfinished";
  write(unfinished);
  fs::rename(unfinished, path);
}

}  // namespace

Kept::Kept(const char* folder) {
  if (folder == nullptr) temporary_.emplace();
  folder_ = folder == nullptr ? temporary_->path() : fs::path(folder);
  fs::create_directories(folder_);
}

VectorSet Kept::set(const std::string& name, const std::function<VectorSet()>& make) const {
  const fs::path path = file(name + ".set");
  VectorSet set{name, Metric::inner_product, 0, {}, {}};
  if (std::ifstream in{path, std::ios::binary}) {
    in.read(reinterpret_cast<char*>(&set.metric), sizeof set.metric);
    in.read(reinterpret_cast<char*>(&set.dimension), sizeof set.dimension);
    set.base = read_values(in);
    set.queries = read_values(in);
    if (!in) throw std::runtime_error("cannot read " + path.string() + "; remove it");
    return set;
  }
  set = make();
  finish(path, [&](const fs::path& unfinished) {
    std::ofstream out(unfinished, std::ios::binary);
    out.write(reinterpret_cast<const char*>(&set.metric), sizeof set.metric);
    out.write(reinterpret_cast<const char*>(&set.dimension), sizeof set.dimension);
    write_values(out, set.base);
    write_values(out, set.queries);
    if (!out.flush()) throw std::runtime_error("cannot write " + unfinished.string());
  });
  return set;
}

std::unique_ptr<VectorPeer> Kept::peer(const VectorSet& set, MakePeer* make, const std::string& ending) const {
  const fs::path path = file(set.name + ending);
  const auto fresh = [&] { return make(set.dimension, set.metric == Metric::l2); };
  if (!fs::exists(path)) {
    const auto built = fresh();
    built->build(set.base, 1);
    finish(path, [&](const fs::path& unfinished) { built->save(unfinished); });
  }
  auto peer = fresh();
  peer->load(path);
  return peer;
}

std::unique_ptr<VectorPeer> Kept::hnswlib(const VectorSet& set) const { return peer(set, hnswlib_graph, ".hnsw"); }

std::unique_ptr<VectorPeer> Kept::faiss(const VectorSet& set) const { return peer(set, faiss_graph, ".faiss"); }

segment::DenseView Kept::graph(const VectorSet& set, bool mapped) const {
  const auto files = segment::posix_file_system();
  const fs::path path = file(set.name + ".seg");
  if (!fs::exists(path)) {
    const std::vector<segment::DenseView> plain = {part_of(set, {})};
    finish(path, [&](const fs::path& unfinished) {
      const auto out = files->create(unfinished);
      segment::FileSink sink(*out);
      segment::merge_dense(1, plain, sink, {}, with_graph(set));
      sink.flush();
    });
  }
  return {std::make_shared<const segment::DensePart>(files->open(path, mapped)), {}};
}

}  // namespace ragstone::bench
