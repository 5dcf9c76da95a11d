FROM busybox
ARG NAME=file
WORKDIR /w
COPY a b dir/ ./
COPY $NAME.txt ${NAME}-copy.txt
COPY ["with space", "/with space/"]
ADD --chown=app:app archive.tar.gz /opt
COPY --exclude=*.md docs /docs
COPY <<one <<"two" /in/
name is $NAME
one
name is $NAME
two
RUN <<EOF2
echo a
echo b
EOF2
RUN <<EOF3
#!/bin/sh
echo script
EOF3
RUN cat <<X > /x && cat <<Y > /y
1
X
2
Y
