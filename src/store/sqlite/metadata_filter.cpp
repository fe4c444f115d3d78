#include "store/sqlite/metadata_filter.hpp"

#include "store/overlay.hpp"
#include "store/sqlite/blobs.hpp"

namespace ragstone::sqlite {

bool MetadataFilter::allows(NodeId node, segment::SourceNumber number) const {
  const Source& of_source = source(number);
  if (!own_metadata_) return of_source.matches;
  Statement& read = database_.statement("SELECT metadata FROM node_extra WHERE id = ?1");
  const Rows guard(read);
  read.bind_integer(1, static_cast<std::int64_t>(node));
  if (!read.step()) return of_source.matches;
  const Metadata own = read_metadata(read.blob(0));
  return filter_.matches(OverlayFields(own, of_source.metadata));
}

const MetadataFilter::Source& MetadataFilter::source(segment::SourceNumber number) const {
  const auto [place, is_new] = sources_.try_emplace(number);
  if (!is_new) return place->second;
  Statement& read = database_.statement("SELECT metadata FROM source WHERE number = ?1");
  const Rows guard(read);
  read.bind_integer(1, number);
  if (read.step()) place->second.metadata = read_metadata(read.blob(0));
  place->second.matches = filter_.matches(place->second.metadata);
  return place->second;
}

}  // namespace ragstone::sqlite
