# The sources of the suite that every embedded engine passes; see conformance.hpp.
set(RAGSTONE_STORE_CONFORMANCE_SOURCES
    conformance.cpp
    conformance_bad_input.cpp
    conformance_commit.cpp
    conformance_fields.cpp
    conformance_fusion.cpp
    conformance_random.cpp
    conformance_read.cpp
    conformance_search.cpp
    conformance_target.cpp
    conformance_threads.cpp
    plain_bind.cpp
    plain_model.cpp
    random_commits.cpp)
list(TRANSFORM RAGSTONE_STORE_CONFORMANCE_SOURCES PREPEND ${PROJECT_SOURCE_DIR}/tests/support/store/)
