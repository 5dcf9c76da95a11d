RUN before
FORM x
FROM
FROM a as B extra
FROM a AS 1x
FROM a As scratch
FROM a AS c
from a as c
ENV novalue
ENV a=b c =d
ENV =x
LABEL
COPY onlyone
COPY --form=x --link=maybe --link a b
COPY --from a b
COPY --from=9 a b
COPY --from=$x a b
RUN ["a", 'b']
RUN ["a", 1]
RUN --mount=type=bnd,tagret=/x,ro=perhaps,uid=x --mount=type=secret --mount=type=tmpfs,size=10m,sharing=locked --mount=from=$x --network=maybe x
SHELL /bin/sh
SHELL []
HEALTHCHECK
HEALTHCHECK NONE x
HEALTHCHECK CMD
HEALTHCHECK FOO x
HEALTHCHECK --interval=soon --timeout=1ns --retries=-1 CMD x
ONBUILD
ONBUILD FROM x
ONBUILD ONBUILD RUN x
ONBUILD COPI a b
VOLUME
VOLUME ["", "a"]
EXPOSE
USER
WORKDIR
STOPSIGNAL
MAINTAINER me
CMD a
CMD b
ARG =x
ARG --x y
averyveryverylongunknownword x
