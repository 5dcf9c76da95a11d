# test: {"buildArgs":{"VERSION":"2","HTTP_PROXY":"http://proxy","NOBODY":"x"},"labels":{"built":"by test"}}
ARG BASE=busybox
FROM ${BASE}:latest
MAINTAINER someone@example.org
ARG VERSION=1
ARG EMPTY
ENV A=1 B="two words" C=$VERSION
ENV A=2 D=$A
LABEL a="$A" "b c"=d
WORKDIR /app
WORKDIR sub/../lib
USER nobody:nogroup
RUN echo "$A" && \
    echo b
RUN ["true", "$A"]
SHELL ["/bin/ash", "-ec"]
RUN echo shell
EXPOSE 80 8000-8002/udp $VERSION
VOLUME /data "$A/x"
VOLUME ["/a b"]
STOPSIGNAL SIGUSR1
HEALTHCHECK --interval=5s --retries=3 CMD wget -q localhost
CMD ["serve", "--fast"]
ENTRYPOINT run it
ONBUILD COPY . /src
