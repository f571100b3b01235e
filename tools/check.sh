#!/bin/sh
# make check: every check, all of their findings, then one status.
cd "$(dirname "$0")/.." || exit 1
status=0
for check in format encoding layers prototypes docs paths labs; do
    python3 "tools/check_$check.py" || status=1
done
exit $status
