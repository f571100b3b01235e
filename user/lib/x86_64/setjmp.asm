; setjmp.asm - remember a place in the program and go back to it.
;
; A jmp_buf holds what a called function must preserve (System V ABI 3.2.1):
;
;       0 rbx   8 rbp   16 r12   24 r13   32 r14   40 r15   48 rsp   56 rip

        default rel
        global  setjmp:function
        global  longjmp:function

        section .text.setjmp progbits alloc exec nowrite align=16
; int setjmp(jmp_buf env): 0 now, longjmp's value when it comes back
setjmp:
        mov     [rdi], rbx
        mov     [rdi + 8], rbp
        mov     [rdi + 16], r12
        mov     [rdi + 24], r13
        mov     [rdi + 32], r14
        mov     [rdi + 40], r15
        lea     rdx, [rsp + 8]  ; rsp after setjmp's return
        mov     [rdi + 48], rdx
        mov     rdx, [rsp]      ; where it returns to
        mov     [rdi + 56], rdx
        xor     eax, eax
        ret

        section .text.longjmp progbits alloc exec nowrite align=16
; void longjmp(jmp_buf env, int value)
longjmp:
        mov     eax, esi
        test    eax, eax
        jnz     .value
        inc     eax             ; setjmp's 0 means the first return
.value:
        mov     rbx, [rdi]
        mov     rbp, [rdi + 8]
        mov     r12, [rdi + 16]
        mov     r13, [rdi + 24]
        mov     r14, [rdi + 32]
        mov     r15, [rdi + 40]
        mov     rsp, [rdi + 48]
        jmp     [rdi + 56]

        section .note.GNU-stack noalloc noexec nowrite progbits
