#include <ragstone/base/error.hpp>
#include <ragstone/index/index_image.hpp>

#include <cstring>

namespace ragstone {

void IndexOutput::write(std::uint32_t section, std::size_t element_bytes, std::string_view bytes) {
  const auto refuse = [&](const char* reason) {
    throw Error(Errc::invalid_argument, "save index: section " + std::to_string(section) + ' ' + reason);
  };
  if (section == 0 || section > kIndexSections) refuse("does not exist: they count from 1 to 9");
  if (element_bytes != 1 && element_bytes != 2 && element_bytes != 4 && element_bytes != 8)
    refuse("has elements that are not of 1, 2, 4 or 8 bytes");
  if (bytes.size() % element_bytes != 0) refuse("has a part of an element at its end");
  if ((written_ >> section & 1) != 0) refuse("was written before");
  written_ |= 1u << section;
  do_write(section, element_bytes, bytes);
}

std::string_view IndexImage::section(std::uint32_t number, std::size_t element_bytes) const {
  const Stored stored = do_section(number);
  if (!stored.bytes.empty() && stored.element_bytes != element_bytes)
    throw Error(Errc::corrupt_store,
                "saved index: section " + std::to_string(number) + " has elements of another size; rebuild the index");
  return stored.bytes;
}

std::size_t MemoryIndexImage::bytes() const noexcept {
  std::size_t sum = 0;
  for (const Section& section : sections_) sum += section.bytes;
  return sum;
}

void MemoryIndexImage::do_write(std::uint32_t section, std::size_t element_bytes, std::string_view bytes) {
  Section& place = sections_[section];
  place.words.resize((bytes.size() + 7) / 8);
  if (!bytes.empty()) std::memcpy(place.words.data(), bytes.data(), bytes.size());
  place.bytes = bytes.size();
  place.element_bytes = element_bytes;
}

IndexImage::Stored MemoryIndexImage::do_section(std::uint32_t number) const {
  if (number >= sections_.size()) return {};
  const Section& place = sections_[number];
  return {{reinterpret_cast<const char*>(place.words.data()), place.bytes}, place.element_bytes};
}

}  // namespace ragstone
