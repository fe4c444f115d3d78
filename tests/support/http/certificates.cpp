#include "support/http/certificates.hpp"

#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace ragstone::test {
namespace {

void run(const std::filesystem::path& folder, const std::string& command) {
  const std::string line = "cd '" + folder.string() + "' && openssl " + command + " >/dev/null 2>&1";
  if (std::system(line.c_str()) != 0) throw std::runtime_error("openssl " + command + " failed");
}

constexpr const char* kNewKey = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes ";

}  // namespace

bool CertificateAuthority::available() { return std::system("openssl version >/dev/null 2>&1") == 0; }

CertificateAuthority::CertificateAuthority(std::filesystem::path folder)
    : folder_(std::move(folder)), file_(folder_ / "ca.pem") {
  run(folder_, std::string("req -x509 ") + kNewKey + "-subj /CN=throw-away -days 2 -keyout ca.key -out ca.pem");
}

ServerTls CertificateAuthority::issue(const std::string& name, const std::string& names, int days) const {
  run(folder_, std::string("req -new ") + kNewKey + "-subj /CN=server -keyout " + name + ".key -out " + name + ".csr");
  std::ofstream(folder_ / (name + ".ext")) << "subjectAltName=" << names << "\n";
  run(folder_, "x509 -req -in " + name + ".csr -CA ca.pem -CAkey ca.key -CAcreateserial -days " + std::to_string(days) +
                   " -extfile " + name + ".ext -out " + name + ".pem");
  ServerTls tls;
  tls.certificate = folder_ / (name + ".pem");
  tls.key = folder_ / (name + ".key");
  return tls;
}

ServerTls CertificateAuthority::self_signed(const std::string& name, const std::string& names) const {
  run(folder_, std::string("req -x509 ") + kNewKey + "-subj /CN=server -days 1 -addext subjectAltName=" + names +
                   " -keyout " + name + ".key -out " + name + ".pem");
  ServerTls tls;
  tls.certificate = folder_ / (name + ".pem");
  tls.key = folder_ / (name + ".key");
  return tls;
}

}  // namespace ragstone::test
