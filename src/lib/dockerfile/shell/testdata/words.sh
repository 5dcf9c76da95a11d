A=1 B+=x C[2]=3 D=(a "b c" $(d)) cmd 'single' "double $x ${y:-z} \$n \a" a\ b $'ansi\'s' $"loc" ~/x
echo ${#a} ${!b} ${c[1]} ${d[@]} ${e/x/y} ${f##*/} ${g:1:2} ${h^^} ${i:?"no $j"} $1$2 $$ $? $ $# ${10} "$@"
echo `pwd` "`echo \`date\` \"q\"`" $(echo $(date)) $((1 + $x * (2))) $( (a); b ) $((a); b)
echo {a,b}c {1..3} {x} a{b,{c,d}} *.c ?x [a-z]* [ x [[:digit:]] @(a|b) <(sort a) >(cat)
declare -A m=([a]=1 b) export X=y
export P=$(date) Q="a b"
a#b # comment
con\
tinued "dou\
ble" \
  last
