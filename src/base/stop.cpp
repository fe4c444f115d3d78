#include <ragstone/base/stop.hpp>

#include <boost/system/errc.hpp>
#include <boost/system/system_error.hpp>

namespace ragstone {

void throw_if_stopped(const StopToken& stop) {
  if (stop.stop_requested())
    throw boost::system::system_error(boost::system::errc::make_error_code(boost::system::errc::operation_canceled));
}

}  // namespace ragstone
