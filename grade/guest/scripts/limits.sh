#!/bin/sh
# Long lines, paths and lists are neither cut nor held in memory as a whole.
seq 20000 | tr '\n' x > /tmp/long
wc -c < /tmp/long
#>   108894
cut -c 1-60000 /tmp/long | wc -c
#>    60001
cut -c 600-700,65000- /tmp/long | wc -c
#>    43997
echo $(cat /tmp/long) > /tmp/short
#> sh: echo: argument list too long
cat /dev/zero | head -n 1 | dd -b 64k -n 3000 -o /dev/null 2> /dev/null; echo ended
#> ended
cd /tmp; for i in $(seq 100); do mkdir abcdefgh; cd abcdefgh; done
pwd | wc -c
#>      905
cd /tmp; rm /tmp/long /tmp/short
mkdir /tmp/u
for i in $(seq 60); do mkdir /tmp/u/d$i /tmp/u/mounted$i; bind /tmp/u/d$i /tmp/u/mounted$i; done
test $(ns | wc -c) -gt 2100; echo $?
#> 0
test $(ns | wc -l) -gt 60; echo $?
#> 0
touch $(seq 99 | tr -d '\n' | cut -c 1-99)$(seq 150 | tr -d '\n') 2>&1 | sed 's/[0-9]*//g'
#> touch: : file name too long
cat /tmp/$(seq 60 | tr -d '\n')
#> cat: /tmp/123456789101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960: file does not exist
