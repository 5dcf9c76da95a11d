FROM busybox AS tools
FROM busybox
ARG CACHE=go
WORKDIR /src
RUN --mount=type=cache,target=/root/.cache,id=$CACHE,sharing=locked --mount=type=tmpfs,target=tmp,size=1m true
RUN --mount=target=. --mount=from=tools,source=/bin,target=/tools true
RUN --mount=type=secret,id=token --network=none true
