FROM a
RUN <<EOF
echo $a
# not a comment
RUN no instruction
EOF
RUN <<-"END" cat
	tabbed
		twice
	END
COPY <<one <<'two' src /dest/
first $x
one
second $x
two
ADD --chmod=644 <<EOF /x
y
EOF
RUN echo don't <<EOF
ONBUILD RUN <<EOF
inner
EOF
RUN ["cat", "<<EOF"]
RUN 3<<EOF cat <<OTHER
a
EOF
b
OTHER
COPY a <<EOF
oops
EOF
RUN <<MISSING
never ends
