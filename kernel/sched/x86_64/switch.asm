; switch.asm - leaving one kernel stack for another.
;
; What a process that does not run has on its stack, from ksp up:
;
;       +0  r15   +8  r14   +16 r13   +24 r12   +32 rbx   +40 rbp
;       +48 return address
;
; Only what C code expects a call to preserve is saved; the call itself has
; given up the rest.  Interrupts are off.

        bits 64
        section .text

        extern sched_finish
        extern proc_main
        extern trap_return

; void context_switch(uint64_t *save_rsp, uint64_t load_rsp)
;
; Save what the head of this file draws on the stack that is in use, and its
; rsp in *save_rsp (rdi).  Make load_rsp (rsi) the stack, take from it what
; another call has saved there, and return to that call's caller.
;
; Lab 3.2
        global context_switch
context_switch:
        push rbp
        push rbx
        push r12
        push r13
        push r14
        push r15
        mov [rdi], rsp
        mov rsp, rsi                ; the other process's stack from here on
        pop r15
        pop r14
        pop r13
        pop r12
        pop rbx
        pop rbp
        ret

; Where a new process comes out of its first switch; proc_set_entry put here
; rbx = function, r12 = its argument, and the stack pointer just below the
; process's trap frame.
; Until sched_finish has returned, the process that was left cannot run: nothing
; comes before it, here as after any switch.  The process is the call of
; proc_main(function, argument).  If that returns, the process resumes what its
; trap frame describes (trap_return), on a stack that is empty but for it.
;
; Lab 3.2
        global proc_entry
proc_entry:
        call sched_finish
        mov rdi, rbx
        mov rsi, r12
        call proc_main
        jmp trap_return             ; rsp = the trap frame
