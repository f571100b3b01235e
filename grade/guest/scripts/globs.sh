#!/bin/sh
# Patterns of file names, the current directory.
cd /boot/scripts; pwd
#> /boot/scripts
echo g*.sh
#> globs.sh
echo /boot/scr?pts/[gw]*.sh
#> /boot/scripts/globs.sh /boot/scripts/words.sh
echo [^a-v]*.sh '*' "*" \* no*such
#> words.sh * * * no*such
echo ../scripts/words.s*
#> ../scripts/words.sh
echo /bo*/scr*/w*s.sh
#> /boot/scripts/words.sh
x='w*s.sh'; echo $x "$x"
#> words.sh w*s.sh
for f in /boot/etc/*; do echo $f; done
#> /boot/etc/motd
#> /boot/etc/users
cd ..; pwd; cd; pwd
#> /boot
#> /
cd /boot/../boot/./etc; pwd
#> /boot/etc
echo * .*
#> motd users .*
ls -d /proc/[1]
#> /proc/1/
mkdir /tmp/many; for i in $(seq 300); do echo > /tmp/many/file$i; done
ls /tmp/many/* | wc -l
#>      300
rm -r /tmp/many
