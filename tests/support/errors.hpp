#pragma once

#include "support/canary.hpp"
#include <ragstone/base/error.hpp>

#include <string>

#include <gtest/gtest.h>

namespace ragstone::test {

/// The Error that `call` throws. A call that throws nothing fails the test.
template <class Call>
Error error_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find(kCanary), std::string::npos) << "an error tells the key";
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return Error(Errc::internal, "no error was thrown");
}

}  // namespace ragstone::test
