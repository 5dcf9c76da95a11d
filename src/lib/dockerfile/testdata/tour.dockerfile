# syntax=docker/dockerfile:1
# check=skip=all

# VERSION of Node
ARG VERSION=24 DISTRO="book\"worm"
FROM --platform=$BUILDPLATFORM node:${VERSION}-slim AS build
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /app dir
ENV A=1 B="two words" C=three\ words D='$A'
ENV legacy some  value here
LABEL org.example.name="x y" other=z
COPY --link --chown=node:node --chmod=0755 --exclude=*.md --exclude=*.txt package*.json ./
COPY --parents ["a b", "c\u0041/"]
RUN --mount=type=cache,target=/root/.npm,sharing=locked,uid=1000,mode=0755 \
    --mount=type=secret,id=token,required=true,env=TOKEN \
    --mount=type=bind,from=other,source=/x,target=/y,rw \
    --network=none --security=insecure --device=vendor.com/device=0 \
    npm ci
FROM scratch
COPY --from=build /app /app
COPY --from=0 /app /app2
ADD --checksum=sha256:abc --keep-git-dir=true --unpack=false https://example.com/x.tar /x
EXPOSE 80/tcp $PORT
VOLUME ["/data", "/more data"]
VOLUME /a /b
USER 1000:1000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=1m30s --timeout=500ms --start-period=5s --start-interval=1s --retries=3 CMD curl -f http://localhost/ || exit 1
ENTRYPOINT ["/bin/app", "--flag"]
CMD run me
ONBUILD ADD . /app
