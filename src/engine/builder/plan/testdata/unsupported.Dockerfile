FROM busybox
ADD https://example.org/x /x
RUN --mount=type=ssh,required true
RUN --security=insecure true
