# test: {"target":"nowhere"}
FROM busybox
