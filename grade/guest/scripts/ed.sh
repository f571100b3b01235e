#!/bin/sh
# The line editor, its commands from a file.
cd /tmp; seq 1 5 > text
echo '2,3p
$a
six
seven
.
1i
zero
.
/six/s/i/[&&]/gp
/3/d
1,2j
%n
g/s/s//S/
$m0
1,2p
99p
$d
p
q
w
q' > commands
ed text < commands
#> 10
#> 2
#> 3
#> s[ii]x
#> 1	zero1
#> 2	2
#> 3	4
#> 4	5
#> 5	s[ii]x
#> 6	seven
#> Seven
#> zero1
#> ? there is no such line
#> 5
#> ? changed and not written; once more does it
#> 18
cat text
#> Seven
#> zero1
#> 2
#> 4
#> 5
echo Q | ed nosuch; echo 'x
s
/[/
1,0p
w' | ed; echo $status
#> nosuch: a new file
#> ? x is no command
#> ? there is no such line
#> ? [ or \ without an end
#> ? there is no such line
#> ? there is no file name
#> error
rm text commands
