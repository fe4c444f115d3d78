#include <ragstone/base/error.hpp>
#include <ragstone/base/utf8.hpp>
#include <ragstone/reader/reader.hpp>

namespace ragstone {

ReadText Reader::read(const RawFile& file, const StopToken& stop) const {
  throw_if_stopped(stop);
  ReadText result;
  try {
    result = do_read(file, stop);
  } catch (const Error& error) {
    throw Error(error.errc(), "read \"" + file.path + "\": " + error.what());
  }
  if (const std::size_t at = utf8::find_invalid(result.text); at != utf8::npos)
    throw Error(Errc::invalid_argument, "read \"" + file.path + "\": the reader " + signature() +
                                            " gave a text that is not UTF-8 at byte " + std::to_string(at));
  return result;
}

}  // namespace ragstone
