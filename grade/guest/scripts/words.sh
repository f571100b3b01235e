#!/bin/sh
# Words: quotes, variables, what commands print.  `#> ` is what comes out.
echo a   b	c
#> a b c
echo 'a   b' 'it''s' "a   b" a\ \ b
#> a   b it's a   b a  b
x=5 y='1  2'
echo $x "$x" '$x' \$x ${x}5 "${x}5" $y "$y"
#> 5 5 $x $x 55 55 1 2 1  2
echo [$nosuch] "[$nosuch]" $nosuch end
#> [] [] end
z=$y; echo "$z"
#> 1  2
echo $(echo one; echo two) "$(echo one; echo two)"
#> one two one
#> two
echo $(echo $(echo deep)) "$(echo "$(echo quoted)")"
#> deep quoted
echo a;echo b # remark ; echo c
#> a
#> b
echo a#b
#> a#b
echo on \
    one line
#> on one line
echo 'two
lines'
#> two
#> lines
eval 'q=7; echo $q'
#> 7
unset q; echo "<$q>"
#> <>
v=outer; (v=inner; echo $v); echo $v
#> inner
#> outer
v=one sh -c 'echo $v'; echo $v
#> one
#> outer
cat /env/v; echo
#> outer
echo "costs \$5 \\ \"q\""
#> costs $5 \ "q"
set=; echo "[$set]"
#> []
echo $
#> $
echo '' "" | wc -c
#>        2
