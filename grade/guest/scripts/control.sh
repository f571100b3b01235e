#!/bin/sh
# Choices, loops, and how commands end.
if true; then echo yes; else echo no; fi
#> yes
if false; then echo yes; elif false; then echo elif; else echo no; fi
#> no
if false; then echo yes; elif true; then echo elif; fi
#> elif
if false; then echo yes; fi; echo "[$status]"
#> []
true && echo and; false && echo and; false || echo or; true || echo or
#> and
#> or
false || false || echo third && echo then
#> third
#> then
! false && echo not
#> not
! true || echo not
#> not
for i in a 'b c' d; do echo "<$i>"; done
#> <a>
#> <b c>
#> <d>
for i in; do echo never; done
for i in 1 2 3 4; do echo job $i > /tmp/job$i & done
wait; cat /tmp/job1 /tmp/job2 /tmp/job3 /tmp/job4; rm /tmp/job?
#> job 1
#> job 2
#> job 3
#> job 4
for i in 1 2
do
    for j in 1 2; do
        if test $j = 2; then continue; fi
        echo $i$j
    done
done
#> 11
#> 21
i=0
while test $i -lt 10; do
    i=$(expr $i + 1)
    if test $i = 3; then break; fi
    echo $i
done
#> 1
#> 2
until test $i = 5; do i=$(expr $i + 1); done; echo $i
#> 5
{ echo in; echo braces; }
#> in
#> braces
(exit oops); echo $status
#> oops
false; echo $status; echo "[$status]"
#> error 1
#> []
nosuchprogram; echo $status
#> sh: nosuchprogram: file does not exist
#> file does not exist
exit_later()
#> sh: ; or an end of line is missing before `('
