ARG TAG=9
FROM --platform=linux/arm64 missing:$TAG AS a
FROM unneeded:1
FROM gone
COPY --from=a / /
COPY --from=other:2 / /
