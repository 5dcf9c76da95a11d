FROM busybox
RUNN true
COPY onlyone
