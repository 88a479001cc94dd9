#!/bin/sh
# The pure layers are pure; and the check would notice if they were not.
set -eu
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

impure() { # CODE: the check refuses a layer that does this
  printf '#include <chrono>\n#include <mutex>\n#include <random>\n#include <cstdio>\n#include <fcntl.h>\n%s\n' "$1" |
    g++ -std=c++20 -c -x c++ -o "$folder/a.o" -
  rm -f "$folder"/*.a
  ar rc "$folder/libcontinuo_engines_planted.a" "$folder/a.o"
  if ./tools/purity "$folder" >/dev/null; then
    echo "not noticed: $1"
    exit 1
  fi
}
impure 'long f() { return std::chrono::steady_clock::now().time_since_epoch().count(); }'
impure 'unsigned f() { return std::random_device{}(); }'
impure 'int f() { return open("x", 0); }'
impure 'void f(std::mutex& m) { m.lock(); }'
impure 'namespace continuo::inline base { struct Clock; Clock& system_clock(); }
void* f() { return &continuo::system_clock(); }'

printf 'int f(int a) { return a; }\n' | g++ -c -x c++ -o "$folder/a.o" -
ar rc "$folder/libcontinuo_engines_planted.a" "$folder/a.o" && ./tools/purity "$folder" >/dev/null

./tools/purity "${CONTINUO_BUILD:-build}"
