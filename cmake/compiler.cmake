# Flags every target shares. Warnings are errors; assertions of the standard library stay on in release.
add_compile_options(
  -Wall -Wextra -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough -Werror
  -fno-strict-aliasing -fstack-protector-strong -fdiagnostics-color=auto)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports false positives for these deep inside its own headers once it inlines.
  add_compile_options(-Wshadow=local -Wno-maybe-uninitialized -Wno-restrict -Wno-stringop-overflow -Wno-array-bounds
                      -Wno-stringop-overread -Wno-missing-field-initializers)
else()
  add_compile_options(-Wno-missing-field-initializers -Wno-unused-command-line-argument)
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64")
  # CRC-32C and carry-less multiply: present on every x86-64 server since 2010.
  add_compile_options(-msse4.2 -mpclmul)
endif()
add_compile_definitions(_GLIBCXX_ASSERTIONS BOOST_ALL_NO_LIB BOOST_ASIO_NO_DEPRECATED
                        CONTINUO_VERSION="${PROJECT_VERSION}")
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_definitions(_FORTIFY_SOURCE=2)
endif()

find_program(MOLD mold)
if(MOLD AND NOT CONTINUO_FUZZERS)
  add_link_options(-fuse-ld=mold)
endif()
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

set(CONTINUO_SANITIZE "" CACHE STRING "Sanitizers for the whole build, as -fsanitize= takes them")
if(CONTINUO_SANITIZE)
  add_compile_options(-fsanitize=${CONTINUO_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${CONTINUO_SANITIZE})
  if(CONTINUO_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Asio and concurrentqueue use fences, which g++'s ThreadSanitizer does not follow; it says so once per use.
    add_compile_options(-Wno-tsan)
  endif()
endif()
