# syntax=docker/dockerfile:1
   # a comment   
from   node:20   as build
arg A=1   B="x   y"



ENV   NAME value with   spaces
env A=1 \
  B="two   words" \

          # about C
  C=3
workdir   /app  
copy   --chown=node:node   --link  a  b   ./
COPY ["a b",   "c" ,"/d"]
run --mount=type=cache,target=/root/.npm   \
 --network=none \
      npm   ci
RUN apt-get update && apt-get install -y --no-install-recommends curl git \
  wget \
    # keys
    gnupg build-essential -t stable python3 \

&& rm -rf /var/lib/apt/lists/*
RUN set -eux; \
  apk add --no-cache \
  a b c \
  ; \
  if [ "$x" = 'y   z' ]; then \
  echo "kept   \
      as it is" | tee a \
  | tee b; \
  else \
  case "$ARCH" in \
  amd64) A=1; \
  B=2 ;; \
  *) exit 1;; \
  esac; \
  fi; \
  for i in 1 \
  2; do \
  ( cd /x && \
  ls ); \
  done
FROM   build
RUN <<EOF   cat    > /x
  body   kept
EOF
RUN   <<-EOT
	if true;    then
	  x
	EOT
RUN make; \
 find /usr -depth \
 \( \
 \( -type d -a -name test \) \
 -o -name '*.pyc' \
 \) -exec rm -rf '{}' + \
 ; \
 \
 \
 ls
# the last stage
# is here
from scratch
copy --from=build <<A <<"B"   /dest/
a  
A
b
B
healthcheck   --interval=3s   cmd   curl   -f   x  ||  exit 1
onbuild   run   a   &&   b
cmd ["x","y z"]
SHELL [ "pwsh",  "-c" ]
RUN Get-Thing   -A   "b"
label a=b    c="d  e"
user   me   
UNknown   x  y


