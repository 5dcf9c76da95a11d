set -e
if true; then
  echo a # c
fi
cat <<X
y
X
