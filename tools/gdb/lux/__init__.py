"""Lux9's commands for GDB; tools/gdb/lux9.py loads them."""
