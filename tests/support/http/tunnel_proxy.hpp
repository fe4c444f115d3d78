#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ragstone::test {

/// A proxy on loopback in a thread of its own that opens tunnels (CONNECT) and does nothing else.
class TunnelProxy {
 public:
  /// With a status other than 200 it answers that, and opens none.
  explicit TunnelProxy(int status = 200);
  TunnelProxy(const TunnelProxy&) = delete;
  TunnelProxy& operator=(const TunnelProxy&) = delete;
  ~TunnelProxy();

  /// "http://127.0.0.1:PORT"
  std::string url() const;
  /// The heads of all requests, whole.
  std::vector<std::string> requests() const;

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace ragstone::test
