#!/bin/sh
# The program is position independent, its tables are read-only after start, its stack is not executable.
# runs-beside-others
set -eu
program=${CONTINUO:-build/continuo}
[ -x "$program" ] || { echo "there is no $program"; exit 77; }
command -v readelf >/dev/null || { echo "readelf (binutils) is not installed"; exit 77; }
has() { # WHAT PATTERN
  readelf -hldW "$program" | grep -Eq "$2" || { echo "$program is not $1"; exit 1; }
}
has "position independent" 'Type: +DYN'
has "bound at start" 'BIND_NOW|Flags:.* NOW'
has "read-only after relocation" 'GNU_RELRO'
has "without an executable stack" 'GNU_STACK.* RW '
