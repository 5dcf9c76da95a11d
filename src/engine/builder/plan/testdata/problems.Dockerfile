FROM busybox
EXPOSE no-port
COPY a b /c
ENV X=${Y:?needed}
STOPSIGNAL !!
WORKDIR $NOTHING
RUN --mount=type=cache true
