#include "store/segment/index_folder.hpp"

#include "store/segment/container.hpp"
#include "store/segment/image.hpp"
#include "store/segment/image_sink.hpp"
#include <ragstone/base/error.hpp>
#include <ragstone/base/ids.hpp>

#include <algorithm>
#include <cctype>
#include <utility>

namespace ragstone::segment {
namespace {

// Of an index, with the name of its group.
constexpr std::size_t kMaxForm = 4096 + 512;
constexpr std::string_view kUnfinished = ".tmp";

SectionId section_id(std::uint32_t number) noexcept {
  return static_cast<SectionId>(static_cast<std::uint32_t>(SectionId::index_1) + number - 1);
}

class SectionOutput final : public IndexOutput {
 public:
  explicit SectionOutput(ContainerWriter& writer) : writer_(writer) {}

 private:
  void do_write(std::uint32_t section, std::size_t element_bytes, std::string_view bytes) override {
    writer_.begin(section_id(section), element_bytes);
    writer_.append(bytes);
    writer_.end();
  }

  ContainerWriter& writer_;
};

class SectionImage final : public IndexImage {
 public:
  explicit SectionImage(Container container) : container_(std::move(container)) {}

  Generation generation() const noexcept override { return container_.generation(); }

 private:
  Stored do_section(std::uint32_t number) const override {
    if (number == 0 || number > kIndexSections) return {};
    const Section* section = container_.find_section(section_id(number));
    if (!section) return {};
    return {container_.bytes(section->id), section->element_bytes};
  }

  const Container container_;
};

[[noreturn]] void throw_saved(const Error& error) {
  throw Error(error.errc(), std::string("saved indexes: ") + error.what() +
                                "; let the folder be read, or remove it: the indexes are then built anew");
}

}  // namespace

void write_index(ImageSink& sink, const Index& index, const StopToken& stop) {
  const std::string form = index.form();
  if (form.empty() || form.size() > kMaxForm)
    throw Error(Errc::unsupported, "save index: it has no form, or one of more than 4,096 bytes");
  ContainerWriter writer(sink, {Kind::index, index.generation(), 0, 0}, kIndexSections + 1);
  writer.begin(SectionId::index_form, 1);
  writer.append(form);
  writer.end();
  SectionOutput output(writer);
  index.save(output, stop);
  writer.finish();
}

std::shared_ptr<const IndexImage> open_index(std::shared_ptr<const Image> image, const std::string& form) {
  Container container(std::move(image), Kind::index);
  const std::string_view stored = container.bytes(SectionId::index_form);
  if (!container.damaged_blocks(SectionId::index_form, {}).empty()) throw_corrupt("damaged form of the index");
  if (stored != form)
    throw Error(Errc::embedder_mismatch,
                "saved index: it has the form \"" + std::string(stored) + "\", this one \"" + form + '"');
  return std::make_shared<SectionImage>(std::move(container));
}

std::string index_file_name(std::string_view name) {
  constexpr std::size_t kReadable = 40;
  std::string file;
  for (const char c : name.substr(0, kReadable))
    file += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' ? c : '_';
  return file + '-' + to_string(hash128(name)).substr(0, 16) + kIndexSuffix;
}

std::shared_ptr<const IndexImage> IndexFolder::open(const std::string& name, const std::string& form) {
  std::shared_ptr<const Image> image;
  try {
    image = files_->open(folder_ / index_file_name(name), map_);
  } catch (const Error& error) {
    if (error.errc() == Errc::not_found) return nullptr;
    throw;
  }
  return open_index(std::move(image), form);
}

std::shared_ptr<const IndexImage> IndexFolder::save(const std::string& name, const Index& index,
                                                    const StopToken& stop) {
  if (!writable_) {
    auto image = std::make_shared<MemoryIndexImage>(index.generation());
    index.save(*image, stop);
    return image;
  }
  files_->create_directory(folder_);
  const std::filesystem::path target = folder_ / index_file_name(name);
  const std::filesystem::path unfinished = target.string() + std::string(kUnfinished);
  files_->remove(unfinished);
  {
    const std::unique_ptr<OutputFile> file = files_->create(unfinished);
    FileSink sink(*file);
    write_index(sink, index, stop);
    sink.flush();
    file->sync();
  }
  files_->rename(unfinished, target);
  files_->sync_directory(folder_);
  return open_index(files_->open(target, map_), index.form());
}

std::vector<std::string> IndexFolder::saved() const {
  try {
    const FileType type = files_->type_of(folder_);
    if (type == FileType::none && !files_->is_taken(folder_)) return {};
    if (type != FileType::directory) throw Error(Errc::io_error, '"' + folder_.string() + "\" is no folder");
    std::vector<std::string> names = files_->list(folder_);
    std::sort(names.begin(), names.end());
    return names;
  } catch (const Error& error) {
    throw_saved(error);
  }
}

std::vector<StoreFinding> IndexFolder::verify(const StopToken& stop) const {
  std::vector<StoreFinding> findings;
  std::vector<std::string> names;
  try {
    names = saved();
  } catch (const Error& error) {
    StoreFinding& finding = findings.emplace_back();
    finding.object = folder_.filename().string();
    finding.problem = error.what();
  }
  for (const std::string& name : names) {
    if (!name.ends_with(kIndexSuffix)) continue;
    std::string problem;
    try {
      const Container container(files_->open(folder_ / name, map_), Kind::index);
      for (const Finding& finding : container.damaged_sections(stop))
        problem += (problem.empty() ? "" : "; ") + finding.problem;
    } catch (const Error& error) {
      if (error.errc() == Errc::not_found) continue;
      problem = error.what();
    }
    if (problem.empty()) continue;
    StoreFinding& finding = findings.emplace_back();
    finding.object = (folder_.filename() / name).string();
    finding.problem = problem +
                      "; Document::rebuild_index() saves it anew, or, if the program has no such index any more, "
                      "remove the file";
  }
  return findings;
}

void IndexFolder::copy_to(const std::filesystem::path& folder, Generation newest, const StopToken& stop) const {
  bool made = false;
  for (const std::string& name : saved()) {
    if (!name.ends_with(kIndexSuffix)) continue;
    std::shared_ptr<const Image> image;
    try {
      image = files_->open(folder_ / name, map_);
      if (Container(image, Kind::index).generation() > newest) continue;
    } catch (const Error& error) {
      if (error.errc() == Errc::not_found || error.errc() == Errc::corrupt_store) continue;
      throw;
    }
    if (!std::exchange(made, true)) files_->create_directory(folder);
    const std::unique_ptr<OutputFile> file = files_->create(folder / name);
    write_image(*file, *image, stop);
    file->sync();
  }
  if (made) files_->sync_directory(folder);
}

void IndexFolder::remove_newer(Generation generation) {
  for (const std::string& name : saved()) {
    const std::filesystem::path path = folder_ / name;
    bool remove = name.ends_with(kUnfinished);
    if (name.ends_with(kIndexSuffix)) {
      try {
        remove = Container(files_->open(path, map_), Kind::index).generation() > generation;
      } catch (const Error& error) {
        // Of damage or another version whoever opens it reports it. What cannot be read now could be read, and be taken
        // for this store's, when that has come to its generation.
        if (error.errc() != Errc::corrupt_store && error.errc() != Errc::unsupported) throw_saved(error);
      }
    }
    if (remove) files_->remove(path);
  }
  // Else a loss of power could bring back what was removed, by a process that was killed then, too, when the store has
  // come to its generation by other commits.
  if (files_->type_of(folder_) == FileType::directory) files_->sync_directory(folder_);
}

}  // namespace ragstone::segment
