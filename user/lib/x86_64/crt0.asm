; crt0.asm - the first instructions of every program.
;
; exec leaves the stack as the System V ABI draws it, rsp at the bottom:
;
;       8  NULL                 end of the (empty) environment
;       8  NULL                 end of argv
;     8*n  argv[n-1] .. argv[0]
;       8  argc                 <- rsp, a multiple of 16
;
; Below it this file makes room for struct self, the data that a process has
; to itself: the stack is the only memory that RFMEM does not share.

        default rel
        extern  start
        global  _start:function

SELF_SIZE equ 160               ; start.c asserts sizeof(struct self)

        section .text._start progbits alloc exec nowrite align=16
_start:
        xor     ebp, ebp        ; the outermost frame: backtraces end here
        mov     rdi, [rsp]      ; argc
        lea     rsi, [rsp + 8]  ; argv
        sub     rsp, SELF_SIZE
        mov     rdx, rsp        ; struct self
        call    start           ; does not return
        ud2

        section .note.GNU-stack noalloc noexec nowrite progbits
