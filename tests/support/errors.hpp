#pragma once

#include <ragstone/base/error.hpp>

#include <gtest/gtest.h>

namespace ragstone::test {

/// The Error that `call` throws. A call that throws nothing fails the test.
template <class Call>
Error error_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return Error(Errc::internal, "no error was thrown");
}

}  // namespace ragstone::test
