fi
echo a &&
if true; then echo x
(echo b
echo c) ) ;; | x
for ; do :; done
case x in a b) c esac
echo ${} ${a ${b!} "unclosed
