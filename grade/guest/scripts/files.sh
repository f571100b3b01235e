#!/bin/sh
# Programs that make, change and remove files, in /tmp.
mkdir /tmp/w; cd /tmp/w; pwd
#> /tmp/w
mkdir -p a/b/c; mkdir a; mkdir x/y
#> mkdir: a: file already exists
#> mkdir: x/y: file does not exist
echo hello > a/f; cp a/f g; cat g; cp a/f g a/b; ls a/b
#> hello
#> c/
#> f
#> g
cp a b; cp -r a b; ls b; cat b/b/g; cp -r a a/b/z; cp g g; cp nosuch h
#> cp: a is a directory
#> b/
#> f
#> hello
#> cp: a/b/z is inside of a
#> cp: g and g are the same file
#> cp: nosuch: file does not exist
mv g h; ls; mv h a; ls a; mv a/h a/f b; ls b; mv nosuch x; mv b/h b/f nosuch
#> a/
#> b/
#> h
#> b/
#> f
#> h
#> b/
#> f
#> h
#> mv: nosuch: file does not exist
#> mv: nosuch is no directory
echo one > x; echo two > y; mv x y; cat y; ls x
#> one
#> ls: x: file does not exist
rm b; rm -f nosuch; rm nosuch; rm -r b; ls -d b
#> rm: b: directory not empty
#> rm: nosuch: file does not exist
#> ls: b: file does not exist
touch t; ls -l t | cut -c 1-10; chmod 600 t; ls -l t | cut -c 1-10
#> -rw-rw-rw-
#> -rw-------
chmod u+x,go t; chmod u+x t; ls -l t | cut -c 1-10; chmod a-w t; echo no > t
#> usage: chmod mode file ...
#> Change permissions: to an octal number, or like u+x, go-w, a=rw, +al
#> (u owner, g group, o others, a all; a write at end, l exclusive).
#> -rwx------
#> sh: t: permission denied
echo 'echo script $1' > s; chmod +x s; ./s arg; echo '#!/bin/sh' > s; ./s
#> sh: ./s: exec header invalid
echo 'echo script $1' >> s; ./s arg; /bin/sh s word
#> script arg
#> script word
rm -r a; seq 1 2000 > big; cp big big2; cmp big big2; du .; wc -c big
#> 18	.
#>     8893 big
dd -i big -o big2 -b 1k -n 1 -k 20; ls -l big2 | cut -c 28-42
#> 1+0 blocks
#>      21504 2024
sort -n -r big | head -n 1; tail -n 1 big; rm -r /tmp/w; ls /tmp/w
#> 2000
#> 2000
#> ls: /tmp/w: file does not exist
