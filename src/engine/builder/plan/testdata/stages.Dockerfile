# test: {"target":"final"}
FROM busybox AS base
ENV X=1
FROM base AS left
RUN echo left > /l
FROM --platform=$BUILDPLATFORM base AS right
ARG TARGETARCH
RUN echo $TARGETARCH > /r
FROM busybox AS never
RUN false
FROM scratch AS final
COPY --from=left /l /
COPY --from=2 --chown=1:2 --chmod=0600 /r /out/
COPY --from=debian:bookworm-slim /etc/os-release /etc/
