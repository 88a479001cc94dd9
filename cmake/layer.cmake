# continuo_layer(NAME [USES layer...] [LIBS target...] [TEST_USES layer...] [TEST_LIBS target...])
#
# Declares the folder it is called in as the layer NAME: one static library `continuo_NAME` of every *.cc beside it
# and in its sub-folders, except
#   *_test.cc   -> linked into the program `test_NAME`, run by ctest
#   *_bench.cc  -> linked into `bench_NAME`
#   *_fuzz.cc   -> one libFuzzer program each, `fuzz_<stem>`
#   *_main.cc   -> left to the folder's own CMakeLists
#   sub-folders that have a CMakeLists.txt of their own are layers of their own and left out.
#
# The arrows are enforced by visibility: a layer's headers are reached only through the folder
# build/include/NAME, which holds one link continuo/NAME -> the source folder. A target that does not USE a layer does
# not have that folder on its include path, so a forbidden include fails with "No such file or directory".
function(continuo_layer NAME)
  cmake_parse_arguments(L "" "" "USES;LIBS;PRIVATE_LIBS;TEST_USES;TEST_LIBS" ${ARGN})
  string(REPLACE "/" "_" ID ${NAME})
  set(ROOT ${CMAKE_BINARY_DIR}/include/${ID})
  get_filename_component(PARENT ${ROOT}/continuo/${NAME} DIRECTORY)
  file(MAKE_DIRECTORY ${PARENT})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${ROOT}/continuo/${NAME} SYMBOLIC)

  file(GLOB_RECURSE ALL CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  file(GLOB_RECURSE INNER CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*/CMakeLists.txt)
  foreach(LIST_FILE ${INNER})
    get_filename_component(FOLDER ${LIST_FILE} DIRECTORY)
    list(FILTER ALL EXCLUDE REGEX "^${FOLDER}/")
  endforeach()
  set(TESTS ${ALL})
  set(BENCHES ${ALL})
  set(FUZZERS ${ALL})
  list(FILTER TESTS INCLUDE REGEX "_test\\.cc$")
  list(FILTER BENCHES INCLUDE REGEX "_bench\\.cc$")
  list(FILTER FUZZERS INCLUDE REGEX "_fuzz\\.cc$")
  list(FILTER ALL EXCLUDE REGEX "_(test|bench|fuzz|main)\\.cc$")

  if(ALL)
    add_library(continuo_${ID} STATIC ${ALL})
    set(SCOPE PUBLIC)
  else()
    add_library(continuo_${ID} INTERFACE)
    set(SCOPE INTERFACE)
  endif()
  target_include_directories(continuo_${ID} ${SCOPE} ${ROOT})
  foreach(USED ${L_USES})
    string(REPLACE "/" "_" USED_ID ${USED})
    target_link_libraries(continuo_${ID} ${SCOPE} continuo_${USED_ID})
  endforeach()
  target_link_libraries(continuo_${ID} ${SCOPE} ${L_LIBS})
  if(ALL)
    target_link_libraries(continuo_${ID} PRIVATE ${L_PRIVATE_LIBS})
  endif()

  if(TESTS AND CONTINUO_TESTS)
    add_executable(test_${ID} ${TESTS})
    target_link_libraries(test_${ID} PRIVATE continuo_${ID} GTest::gmock GTest::gtest_main rapidcheck ${L_TEST_LIBS})
    foreach(USED ${L_TEST_USES})
      string(REPLACE "/" "_" USED_ID ${USED})
      target_link_libraries(test_${ID} PRIVATE continuo_${USED_ID})
    endforeach()
    add_test(NAME ${ID} COMMAND test_${ID})
  endif()
  if(BENCHES AND CONTINUO_BENCHMARKS)
    add_executable(bench_${ID} ${BENCHES})
    target_link_libraries(bench_${ID} PRIVATE continuo_${ID} benchmark::benchmark_main)
  endif()
  if(CONTINUO_FUZZERS)
    foreach(SOURCE ${FUZZERS})
      get_filename_component(STEM ${SOURCE} NAME_WE)
      string(REGEX REPLACE "_fuzz$" "" STEM ${STEM})
      add_executable(fuzz_${STEM} ${SOURCE})
      target_link_libraries(fuzz_${STEM} PRIVATE continuo_${ID})
      target_link_options(fuzz_${STEM} PRIVATE -fsanitize=fuzzer)
    endforeach()
  endif()
endfunction()
