#!/bin/sh
# Pipes and redirections; /env serves as a place for files.
echo a b c | tr a-z A-Z
#> A B C
seq 1 1000 | grep 7 | wc -l
#>      271
seq 5 | while read x; do echo "<$x>"; done | tail -n 2
#> <4>
#> <5>
echo one > /env/f; echo two >> /env/f; cat /env/f
#> one
#> two
cat < /env/f | head -n 1
#> one
echo three > /env/f; cat /env/f
#> three
ls /nosuch > /env/f 2>&1; cat /env/f
#> ls: /nosuch: file does not exist
ls /nosuch 2> /dev/null; echo $status
#> /nosuch: file does not exist
{ echo 1; echo 2; } > /env/f; wc -l < /env/f
#>        2
for i in 1 2 3; do echo $i; done > /env/f; cat /env/f | tail -n 1
#> 3
if true; then read x; read y; fi < /env/f; echo $x$y
#> 12
echo to two >&2
#> to two
cat < /nosuch; echo $status
#> sh: /nosuch: file does not exist
#> redirection failed
cd /nosuch 2> /env/f; cat /env/f
#> sh: cd: /nosuch: file does not exist
echo still
#> still
false | true; echo "[$status]"; true | false; echo "[$status]"
#> []
#> [error 1]
seq 1 100000 | head -n 1
#> 1
sleep 0.1 & echo now; wait; echo later
#> now
#> later
echo x | { cat; echo y; } | (cat; echo z) | tr '\n' ,; echo
#> x,y,z,
> /env/f; wc -c < /env/f
#>        0
unset f
