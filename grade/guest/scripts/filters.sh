#!/bin/sh
# Programs that change what goes through them.
seq 3 | cat - /boot/etc/motd | wc -l
#>        4
seq 1 12 | grep -c 1; seq 1 12 | grep -n '^1.$' | head -n 2; seq 3 | grep -v 2
#> 4
#> 10:10
#> 11:11
#> 1
#> 3
echo ab | grep -q 'a.' && echo found; echo ab | grep c; echo $status
#> found
#> no match
seq 30 | head -c 5; seq 30 | head -c 1 -n 1; seq 30 | tail -2
#> 1
#> 2
#> 31
#> 29
#> 30
{ dd -i /dev/zero -b 5 -n 1 2> /dev/null; echo a; } | tail -1 | wc -c
#>        7
time echo x 2> /dev/null
#> x
grep '[' /boot/etc/motd
#> grep: [: [ or \ without an end
seq 1 10 | sort -r | head -n 2; seq 1 10 | sort -n | tail -n 2
#> 9
#> 8
#> 9
#> 10
{ echo b; echo a; echo b; } | sort -u; { echo x; echo x; echo y; } | uniq -c
#> a
#> b
#>       2 x
#>       1 y
echo hello | tr a-y b-z; echo aabb | tr -d a; echo aabb | tr -s ab xy
#> ifmmp
#> bb
#> xy
echo a:b:c | cut -d : -f 2-; echo hello | cut -c 1,3-4
#> b:c
#> hll
echo one two | sed 's/o/0/g'; seq 5 | sed -n '2,3p'; seq 5 | sed '/3/d;'
#> 0ne tw0
#> 2
#> 3
#> sed: ;: not expected
seq 3 | sed -e '2d' -e '$s/$/!/'; seq 9 | sed 2q
#> 1
#> 3!
#> 1
#> 2
echo 'Lux9' | xd
#> 0000000  4c 75 78 39 0a                                    Lux9.
echo -n 123456789 | sum
#> cbf43926        9
seq 3 | tee /env/f | tail -n 1; cat /env/f | tr '\n' ' '; echo
#> 3
#> 1 2 3
seq 4 | sed 's/3/x/' > /env/g; seq 4 | diff - /env/g; echo $status
#> 3c3
#> < 3
#> ---
#> > x
#> differ
seq 4 | cmp - /env/g
#> - /env/g differ: byte 5, line 3
seq 4 | cmp - /env/f
#> /env/f is shorter: 6 bytes
seq 1 1000 | dd -b 100 -s 2 -n 1 2> /dev/null | head -n 2
#>
#> 71
expr 2 + 3 '*' '(' 4 - 1 ')'; expr 1 / 0; expr 7 '>' 8
#> 11
#> expr: division by zero
#> 0
test 2 -lt 10 -a ! -d /boot/etc/motd && test -d /boot -a -f /boot/etc/motd && echo so
#> so
test a = b -a x || echo not; test a = a -o '' && echo or; test ! '' -a ! -e /nosuch && echo none
#> not
#> or
#> none
basename /a/b.c .c; basename -d /a/b.c; date 951782400; seq 3 -2 -1 | tr '\n' ' '; echo
#> b
#> /a
#> 2000-02-29 00:00:00 Tue
#> 3 1 -1
unset f g; env | grep -c '^f='
#> 0
which ls nosuch
#> /bin/ls
#> which: nosuch: file does not exist
