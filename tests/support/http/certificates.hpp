#pragma once

#include "support/http/scripted_server.hpp"

#include <filesystem>
#include <string>

namespace ragstone::test {

/// A throw-away certificate authority, made by the openssl command in a folder of the test's.
class CertificateAuthority {
 public:
  explicit CertificateAuthority(std::filesystem::path folder);

  const std::filesystem::path& file() const noexcept { return file_; }

  /// A certificate for `names` ("DNS:localhost,IP:127.0.0.1"), valid from now on for `days`; -1: expired.
  ServerTls issue(const std::string& name, const std::string& names, int days = 1) const;
  /// One that nobody signed but itself.
  ServerTls self_signed(const std::string& name, const std::string& names) const;

  static bool available();

 private:
  std::filesystem::path folder_;
  std::filesystem::path file_;
};

}  // namespace ragstone::test
