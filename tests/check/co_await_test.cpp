#include "check/co_await_rules.hpp"
#include "support/data.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace ragstone::check {
namespace {

std::string in_function(const std::string& statements) {
  return "Task<void> f(std::string s) {\n" + statements + "\n}\n";
}

TEST(CoAwaitCheck, RejectsBracedTemporaries) {
  for (const char* bad : {
           "co_await f({.name = s});",
           "co_await f(A{.name = s});",
           "co_await f({s1, s2});",
           "auto x = co_await g(\n  1,\n  wrap(Options{s}));",
           "A a{.name = co_await g()};",
           "auto p = std::pair{co_await g(), A{s}};",
           "std::string x[2]{co_await g(), co_await g()};",
           "return_value = std::vector<std::string>{co_await g()};",
           "co_return co_await f(std::vector<int>{1, 2});",
           "if (co_await f({s})) { g(); }",
           "for (auto x : co_await f({s})) g();",
           "while (!co_await f(A{s})) {}",
           "EXPECT_EQ((co_await f({s})), 1);",
           "g(A{s}, co_await f());",
           "auto x = A{s} + co_await f();",
       }) {
    EXPECT_FALSE(co_await_findings(in_function(bad)).empty()) << bad;
  }
}

TEST(CoAwaitCheck, RejectsLambdas) {
  for (const char* bad : {
           "co_await run([s] { return s; });",
           "co_await run([s]() -> Task<void> { co_return; });",
           "co_await [s]() -> Task<void> { co_return; }();",
           "auto x = co_await run(1, [&](int a) mutable noexcept { return a; });",
           "co_await run([]<class T>(T t) { return t; });",
       }) {
    EXPECT_FALSE(co_await_findings(in_function(bad)).empty()) << bad;
  }
}

TEST(CoAwaitCheck, RejectsTheConditionalOperator) {
  for (const char* bad : {
           "auto x = c ? co_await g() : std::string(s);",
           "co_await f(c ? a : b);",
           "co_return c\n  ? co_await g()\n  : s;",
       }) {
    EXPECT_FALSE(co_await_findings(in_function(bad)).empty()) << bad;
  }
}

TEST(CoAwaitCheck, AcceptsNamedArgumentsAndSeparateStatements) {
  for (const char* good : {
           "auto op = f(s); co_await std::move(op);",
           "Options options{s}; co_await f(options);",
           "auto body = [s] { return s; }; co_await run(body);",
           "int x = c ? 1 : 2; co_await f(x);",
           "if (c ? a : b) co_await f(s);",
           "if (c ? a : b) { co_await f(s); } else co_await g();",
           "if constexpr (A{}.x) co_await f(s);",
           "for (int i = c ? 1 : 2; i < 3; ++i) co_await f(s);",
           "for (const auto& hit : co_await f(s)) { g(hit ? 1 : 2); A a{hit}; }",
           "while (co_await next(s)) { g([s] { return s; }); }",
           "auto [a, b] = co_await f(s); g({a, b});",
           "{ A a{s}; } co_await f(s);",
           "try { co_await f(s); } catch (const Error& e) { g({e}); }",
           "switch (x) { case 1: { co_await f(s); break; } default: co_await g(); }",
           "co_await f(\"{?}\", '?', '{'); /* ? { */ // ?",
           "co_await f(R\"x({ ? [s] { } )x\");",
           "co_await f(1'000'000, 'x');",
           "co_spawn(ex, [s]() -> Task<void> { co_await f(s); }, detached);",
           "co_spawn(ex, [](A a) mutable -> Task<std::pair<int, A>> { co_await f(a); }, {s});",
           "EXPECT_EQ(co_await f(s), x[0]);",
           "#define WITH_BRACES(x) A{x}\nco_await f(s);",
       }) {
    const auto found = co_await_findings(in_function(good));
    EXPECT_TRUE(found.empty()) << good << "\n" << found.front().what;
  }
}

TEST(CoAwaitCheck, ReportsTheLineOfTheCoAwait) {
  const auto found = co_await_findings("#define X \\\n  1\n\nvoid f() {\n  g();\n  co_await f({1});\n}\n");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].line, 6U);
}

TEST(CoAwaitCheck, NoSourceOfTheProjectBreaksTheRules) {
  const std::filesystem::path root = RAGSTONE_SOURCE_DIR;
  for (const auto& file : source_files(root, {"include", "src", "tests", "examples", "benchmarks"})) {
    const std::string source = test::read_file(root / file);
    for (const Finding& finding : co_await_findings(source))
      ADD_FAILURE() << file.string() << ":" << finding.line << ": " << finding.what
                    << "; g++ 12 destroys temporaries of such an expression twice: name them first";
  }
}

}  // namespace
}  // namespace ragstone::check
