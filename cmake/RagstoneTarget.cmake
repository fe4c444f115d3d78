# ragstone_warnings(TARGET): Ragstone's own warnings, for its own code only; nothing here is exported to users.
function(ragstone_warnings target)
  if(RAGSTONE_WARNINGS)
    # Signs are no part of -Wconversion for g++.
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wconversion -Wshadow -Werror
                                             $<$<CXX_COMPILER_ID:Clang>:-Wno-sign-conversion>)
    # g++ 12 warns of overlap in `"text" + std::string` (GCC bug 105651), and with sanitizers of coroutine frames that
    # Asio allocates and frees by its own pair of operators.
    target_compile_options(${target} PRIVATE "$<$<CXX_COMPILER_ID:GNU>:-Wno-restrict;-Wno-mismatched-new-delete>")
  endif()
endfunction()

# ragstone_test(NAME SOURCES...): one GoogleTest program, its cases found at build time and labelled by the folder's
# name, which is the layer's. A case that prints the key of tests/support/canary.hpp fails.
function(ragstone_test name)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE ragstone::ragstone ragstone_test_support GTest::gtest_main GTest::gmock)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests)
  ragstone_warnings(${name})
  cmake_path(GET CMAKE_CURRENT_SOURCE_DIR FILENAME label)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 600 LABELS ${label}
                                                              FAIL_REGULAR_EXPRESSION "canary-key")
endfunction()

# ragstone_layer(TARGET LAYER HEADERS h... SOURCES s...): adds a layer's public headers (names under
# include/ragstone/LAYER) and sources (names in the current folder) to a target.
function(ragstone_layer target layer)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "HEADERS;SOURCES")
  list(TRANSFORM arg_HEADERS PREPEND ${PROJECT_SOURCE_DIR}/include/ragstone/${layer}/)
  list(TRANSFORM arg_SOURCES PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  target_sources(${target} PRIVATE ${arg_SOURCES})
  target_sources(${target} PUBLIC FILE_SET HEADERS FILES ${arg_HEADERS})
endfunction()

# ragstone_example(NAME): the program ragstone_NAME, from examples/NAME.cpp, as a user would build it.
function(ragstone_example name)
  add_executable(ragstone_${name} ${name}.cpp)
  target_link_libraries(ragstone_${name} PRIVATE ragstone::ragstone)
  ragstone_warnings(ragstone_${name})
endfunction()

# ragstone_benchmark(NAME SOURCES...): the program ragstone_bench_NAME, from benchmarks/NAME.cpp and what else it needs.
function(ragstone_benchmark name)
  add_executable(ragstone_bench_${name} ${name}.cpp ${ARGN})
  target_link_libraries(ragstone_bench_${name} PRIVATE ragstone::ragstone)
  ragstone_warnings(ragstone_bench_${name})
endfunction()
