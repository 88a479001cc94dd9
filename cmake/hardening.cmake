# What makes a fault harder to turn into an attack, after OpenSSF's guide, for the programs that are shipped.
# tests/e2e/hardening_test.sh looks at the outcome.
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT CONTINUO_SANITIZE)
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
  add_compile_options(-fstack-clash-protection -fno-delete-null-pointer-checks)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64")
    add_compile_options(-fcf-protection=full)
  endif()
  add_link_options(-pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
endif()
