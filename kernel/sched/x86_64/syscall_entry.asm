; syscall_entry.asm - where the `syscall` instruction arrives.
;
; The CPU has put the user's rip in rcx and rflags in r11, loaded our code
; segment and masked the flags of MSR_FMASK, interrupts among them; it has
; switched neither stack nor GS (Intel SDM 2B, SYSCALL).  A whole struct
; trapframe is built, so that notes, rfork and exec see one shape however the
; kernel was entered:
;
;       +0   r15 r14 r13 r12 r11 r10 r9 r8 rbp rdi rsi rdx rcx rbx rax
;       +120 vector, error          both 0: there is no such trap here
;       +136 rip, cs, rflags, rsp, ss
;       +176 kernel_rsp
;
; Arguments come in rdi, rsi, rdx, r10, r8, r9, the number in rax.  The result
; goes back in rax; rcx and r11 are lost, all others kept.

        bits 64
        %include "offsets.inc"
        %include "boot/x86_64/registers.inc"

        section .text

        extern syscall_dispatch
        extern trap_return

; In: as above, interrupts off.  Take the kernel's GS and the process's kernel
; stack, build the frame, call syscall_dispatch(frame).  Go back by sysret,
; with what the frame then says, but by trap_return if this CPU's resched is
; set or the frame's rip is not below 1 << 47.
;
; Lab 3.9
        global syscall_entry
syscall_entry:
        swapgs
        mov [gs:CPU_USER_RSP], rsp
        mov rsp, [gs:CPU_KERNEL_RSP]    ; the process's kernel stack, empty
        push SEL_UDATA                  ; 8   ss
        push qword [gs:CPU_USER_RSP]    ; 16
        push r11                        ; 24  rflags
        push SEL_UCODE                  ; 32  cs
        push rcx                        ; 40  rip
        push 0                          ; 48  error
        push 0                          ; 56  vector
        PUSH_REGISTERS                  ; 176
        xor ebp, ebp                    ; the kernel's backtrace ends here
        mov rdi, rsp
        call syscall_dispatch           ; comes back with interrupts off
        cmp dword [gs:CPU_RESCHED], 0
        jne .slow
        ; sysret to a non-canonical rip would fault in the kernel, on the
        ; user's stack (Intel SDM 2B, SYSRET).  User addresses end below
        ; 1 << 47, and what is above goes the slow way, where iretq faults
        ; as the user.
        mov rcx, [rsp + TF_RIP]
        mov r11, rcx
        shr r11, 47
        jnz .slow
        mov r11, [rsp + TF_RFLAGS]
        mov rax, [rsp + TF_RAX]
        mov rdx, [rsp + TF_RDX]
        mov rsi, [rsp + TF_RSI]
        mov rdi, [rsp + TF_RDI]
        mov rbp, [rsp + TF_RBP]
        mov r8, [rsp + TF_R8]
        mov r9, [rsp + TF_R9]
        mov r10, [rsp + TF_R10]         ; C has kept rbx and r12 to r15
        mov rsp, [rsp + TF_RSP]         ; the user's stack from here on
        swapgs
        o64 sysret
.slow:
        jmp trap_return
