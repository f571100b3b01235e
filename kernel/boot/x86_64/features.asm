; features.asm - is all there that the kernel and its programs need of a CPU?
;
; 32-bit code at its physical address, like entry.asm, which calls it: no C
; has run yet, because the compiler may use what is asked for here.

%include "offsets.inc"

%define PHYS(symbol) ((symbol) - KERNEL_BASE)

extern cpu_features, fail_feature
global check_features

section .boot.text progbits alloc exec nowrite align=16
bits 32

; Look up each row of features.c:cpu_features that has a name.  Returns if all
; are there, else jumps to fail_feature with the name's physical address in
; ebx.  Keeps edi and esi.
check_features:
        mov ebp, PHYS(cpu_features)
.row:   cmp dword [ebp + FEATURE_MUST_HAVE], 0
        je .next
        mov eax, [ebp + FEATURE_LEAF]
        and eax, 1 << 31            ; 0 or 80000000h: gives the highest leaf
        cpuid
        cmp eax, [ebp + FEATURE_LEAF]
        jb .missing
        mov eax, [ebp + FEATURE_LEAF]
        xor ecx, ecx
        cpuid
        push edx                    ; 4   as enum cpuid_register counts
        push ecx                    ; 8
        push ebx                    ; 12
        push eax                    ; 16
        movzx eax, word [ebp + FEATURE_REG]
        movzx ecx, word [ebp + FEATURE_BIT]
        bt [esp + eax * 4], ecx
        lea esp, [esp + 16]         ; 0   and the carry flag stays
        jnc .missing
.next:  add ebp, FEATURE_SIZE
        cmp ebp, PHYS(cpu_features) + NFEATURES * FEATURE_SIZE
        jb .row
        ret
.missing:
        mov ebx, [ebp + FEATURE_MUST_HAVE]
        sub ebx, KERNEL_BASE & 0xffffffff
        jmp fail_feature
