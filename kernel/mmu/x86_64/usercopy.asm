;
; usercopy.asm - the instructions that touch user memory, and what to do when
; they fault.
;
; Each instruction that may fault is in the table `fixups` with the place to
; go on at.  The page-fault handler first tries to make the page; the
; instruction then simply runs again (REP keeps its progress in registers).
; Only if there can be no page does it go to the fix-up, with the reason in rax:
; -E_BADADDR, or -E_NOMEM.
;
; SMAP: the kernel may touch user memory only between stac and clac, which
; not every CPU has.
;

extern cpu_has_smap
global user_copy, user_str, user_cas

%macro USER_BEGIN 0
        cmp byte [rel cpu_has_smap], 0
        je %%no
        stac
%%no:
%endmacro

%macro USER_END 0
        cmp byte [rel cpu_has_smap], 0
        je %%no
        clac
%%no:
%endmacro

; FIXUP at, resume
%macro FIXUP 2
        [section fixups progbits alloc noexec nowrite align=8]
        dq %1, %2
        __SECT__
%endmacro

section .text
bits 64

; int user_copy(void *dst, const void *src, size_t n)
; One of the two is user memory, already checked to lie below USER_TOP.  Copy
; words of 8 bytes first, then the rest.  0, or the reason if an instruction
; faults and no page can be made: each that may has a FIXUP line, and goes on
; at user_fault, with the reason in rax.  User memory is in reach only between USER_BEGIN and USER_END.
; Lab 2.10
user_copy:
        mov rcx, rdx
        shr rcx, 3
        and edx, 7
        USER_BEGIN
.words: rep movsq
        mov ecx, edx
.bytes: rep movsb
        USER_END
        xor eax, eax
        ret
        FIXUP .words, user_fault
        FIXUP .bytes, user_fault

; long user_str(char *dst, const char *src, size_t n)
; Eight bytes at a time.  A word with a zero byte is the last: subtracting 1
; from each byte then borrows into a bit 7 that was not set before.  A word
; across the end of a page could fault although the string ends before it:
; the bytes there go one by one.
user_str:
        mov rcx, rdx                ; bytes left
        mov r8, 0x0101010101010101
        mov r9, 0x8080808080808080
        USER_BEGIN
.word:  cmp rcx, 8
        jb .byte
        mov eax, esi
        and eax, 4095
        cmp eax, 4096 - 8
        ja .byte
.load:  mov rax, [rsi]
        mov r10, rax
        mov r11, rax
        sub r10, r8
        not r11
        and r10, r11
        test r10, r9
        jnz .byte
        mov [rdi], rax
        add rsi, 8
        add rdi, 8
        sub rcx, 8
        jmp .word
.byte:  test rcx, rcx
        jz .done                    ; no NUL in n bytes
.load1: mov al, [rsi]
        mov [rdi], al
        test al, al
        jz .done
        inc rsi
        inc rdi
        dec rcx
        test esi, 7
        jnz .byte
        jmp .word
.done:  USER_END
        mov rax, rdx
        sub rax, rcx
        ret
        FIXUP .load, user_fault
        FIXUP .load1, user_fault

; int user_cas(uint32_t *va, uint32_t *old, uint32_t new)
user_cas:
        mov eax, [rsi]
        USER_BEGIN
.cas:   lock cmpxchg [rdi], edx
        mov [rsi], eax
        sete al
        movzx eax, al
        USER_END                    ; changes no register
        ret
        FIXUP .cas, user_fault

user_fault:
        USER_END                    ; changes no register
        ret
