#!/bin/bash
# what controls
set -euo pipefail
if [ -f "$1" ]; then cat "$1"; elif test x = y; then :; else echo no; fi
while read -r line; do echo "$line"; done < /etc/passwd
until false; do break; done &
for f in *.txt a{1..3} "$@"; do rm -f -- "$f"; done
for ((i = 0; i < $(nproc); i++)); do echo $i; done
for x; do :; done
case "$TARGETARCH" in
  amd64|x86_64) ARCH=x64 ;;
  (arm*) ARCH=${TARGETARCH%64}; ;;
  *) exit 1
esac
greet() { echo "hi $1"; }
function bye { exit; }
[[ -n $A && ( $B =~ ^[a-z](x|y)+$ || ! -d /x ) ]] || exit 1
(( i > 3 )) && { echo group; } 2>&1 | tee log
! (cd /tmp && ls) > /dev/null 2>&1
select x in a b; do break; done
time -p sleep 1 |& cat
[[ ( -n $a || ! -f "$b" ) && $c =~ ^(x|y z)+$ &&
  $d == @(e|f)* && g < h ]]
(( a = (b + 1) * 2 )) || exit
case $1 in (a | "b c") x ;& [d-f]*) y ;;& *) ;; esac
function f ( cd /; )
coproc worker { read -r line; }
list=(one "two three" [5]=six $(seven)) && list+=(eight)
diff <(sort a) <(sort b) > >(tee c) <<< "$d e"
for ((;;)) { break; }
