; syscalls.asm - one stub a system call, made from lux/syscalls.def.
;
; The C preprocessor reads this file before NASM does, so that the one list
; of calls serves here too: each of its rows becomes a STUB line.
;
; The kernel takes the number in rax and arguments in rdi, rsi, rdx, r10, r8,
; r9: C's order, but for r10 in place of rcx, which the syscall instruction
; overwrites with the return address (and r11 with rflags; Intel SDM 2B,
; SYSCALL).  A result in -4095..-1 is an error: error_set remembers it.

        default rel
        extern error_set

%macro STUB 2
        section .text.%2 progbits alloc exec nowrite align=16
        global $%2:function  ; $: `wait` and `nop` are instructions too
$%2:
        mov     eax, %1
        mov     r10, rcx
        syscall
        cmp     rax, -4095
        jae     %%failed
        ret
%%failed:
        mov     rdi, rax
        jmp     error_set
%endmacro

#define exits _exits
#define SYSCALL(number, stage, name, nargs) STUB number, name
#include <lux/syscalls.def>

        section .note.GNU-stack noalloc noexec nowrite progbits
