#!/bin/sh
# Arguments of scripts.
if test $# = 0; then
    exec /boot/scripts/args.sh 'a b' c d
fi
echo $# "$1" $2 [$9]
#> 3 a b c []
basename $0
#> args.sh
for i; do echo "<$i>"; done
#> <a b>
#> <c>
#> <d>
for i in "$*"; do echo "<$i>"; done
#> <a b>
#> <c>
#> <d>
shift; echo $1 $#
#> c 2
echo 'echo in $1 $#' > /env/script; . /env/script x; echo out $1
#> in x 1
#> out c
sh -c 'echo $1' ; sh /env/script y z
#>
#> in y 2
shift; shift; shift
#> sh: shift: no arguments are left
unset script; exit done
