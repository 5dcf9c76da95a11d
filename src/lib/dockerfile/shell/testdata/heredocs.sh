cat <<EOF > /etc/x && echo done
a $HOME $(id -u) \$no
EOF
cat <<-'A' <<"B" 3<<C
	tabs $x
	A
b
B
c `x`
C
cat <<<"here $string" >>f 2>|g <>h >&2 &>i {fd}>j
wc <<END
not ended
