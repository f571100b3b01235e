;
; trap_entry.asm - every exception and interrupt comes in here, and leaves.
;
; 256 stubs make one shape of all of them, a struct trapframe (boot/boot.h):
;
;     rsp at trap_dispatch            who put it there      bytes
;     +0     r15 r14 .. r8            trap_common           8 * 8
;     +64    rbp rdi rsi rdx rcx rbx rax                    7 * 8
;     +120   vector                   stub                      8
;     +128   error code, or 0         CPU, or stub              8
;     +136   rip cs rflags rsp ss     CPU                   5 * 8
;     +176   (16-byte aligned by the CPU)
;
; Gates turn interrupts off.  GS: in user mode it is the program's; swapgs
; exchanges it with the kernel's on the way in and out.
;

%include "offsets.inc"

RFLAGS_AC equ 1 << 18
GS_BASE   equ 0xc0000101

extern trap_dispatch, trap_leave
global trap_stubs, trap_return

%include "boot/x86_64/registers.inc"

; The kernel runs with AC clear, or SMAP would not guard it.  Interrupt gates
; leave AC as it was; clac does not exist on every CPU, and it is rarely set.
%macro CLEAR_AC 0
        test dword [rsp + TF_RFLAGS], RFLAGS_AC
        jz %%clear
        pushfq                      ; 8
        and dword [rsp], ~RFLAGS_AC
        popfq                       ; 0
%%clear:
%endmacro

section .text
bits 64

; One stub per vector: STUB n makes that of vector n.  The CPU pushes an error
; code for vectors 8, 10 to 14, 17, 21, 29 and 30 (Intel SDM 3A 6.13; AMD64 APM 2
; 8.4.1); for the others the stub pushes 0.  Then it pushes its vector and jumps
; to trap_common.  Double fault (8), NMI (2) and machine check (18) may strike
; anywhere and take the careful way, trap_any_gs.
;
; Lab 1.11
%macro STUB 1
stub_%1:
  %if !(%1 == 8 || (%1 >= 10 && %1 <= 14) || %1 == 17 || %1 == 21 || \
        %1 == 29 || %1 == 30)
        push 0                      ; 8
  %endif
        push %1                     ; 16
  %if %1 == 2 || %1 == 8 || %1 == 18
        jmp trap_any_gs
  %else
        jmp trap_common
  %endif
%endmacro

%assign vector 0
%rep 256
        STUB vector
  %assign vector vector + 1
%endrep

; All vectors but the careful three come here, from their stubs, with vector
; and error code pushed: rsp points at the vector.  trap_dispatch(the frame's
; address) is called, and trap_return follows it.  At the call
;   - the struct trapframe is complete (PUSH_REGISTERS), with each register as
;     the interrupted code had it;
;   - GS is the kernel's.  It was the program's if the privilege in the saved CS
;     is 3 (swapgs exchanges the two), and the kernel's already if it is 0;
;   - the direction flag is clear, as C wants it, and AC too (CLEAR_AC);
;   - rbp is the interrupted function's if that was the kernel's, so that a
;     backtrace goes on through the trap, and 0 if it was a program's.
;
; Lab 1.11
align 16
trap_common:
        test byte [rsp + TF_CS - TF_VECTOR], 3
        jz .kernel_gs
        swapgs
.kernel_gs:
        PUSH_REGISTERS              ; TF_SIZE
        cld
        CLEAR_AC
        test byte [rsp + TF_CS], 3
        jz .dispatch                ; rbp: the interrupted function's frame
        xor ebp, ebp                ; the kernel's backtrace ends here
.dispatch:
        mov rdi, rsp
        call trap_dispatch

; Resume what the struct trapframe at rsp describes; trap_common comes here, and
; so do new processes.  Interrupts are off, and GS is the kernel's.
;
; When that code runs on, every register has the frame's value, rip, rsp, rflags
; and the selectors by iretq, and the frame is gone from the stack.  GS is the
; code's own: the program's if the privilege in the frame's CS is 3, the
; kernel's if it is 0.
; No program runs on before trap_leave(the frame's address) has returned, which
; delivers notes and reschedules: it uses the kernel's GS, and what the program
; resumes with is what it leaves in the frame.  The kernel's own code runs on
; without it.
;
; Lab 1.11
trap_return:
        test byte [rsp + TF_CS], 3
        jz .kernel
        mov rdi, rsp
        call trap_leave
        swapgs
.kernel:
        POP_REGISTERS               ; 56
        add rsp, 16                 ; 40  vector, error code
        iretq                       ; 0

; NMI, double fault, machine check: they can strike in the kernel between its
; first instruction and its swapgs, so that the privilege level tells nothing.
; The GS base does: the kernel's lie in the upper half.
align 16
trap_any_gs:
        PUSH_REGISTERS              ; TF_SIZE
        cld
        CLEAR_AC
        mov ecx, GS_BASE
        rdmsr
        mov ebx, edx                ; sign bit: it is the kernel's; rbx is
        test ebx, ebx               ; kept by trap_dispatch
        js .dispatch
        swapgs
.dispatch:
        xor ebp, ebp
        mov rdi, rsp
        call trap_dispatch
        test ebx, ebx
        js .kernel_gs
        swapgs
.kernel_gs:
        POP_REGISTERS               ; 56
        add rsp, 16                 ; 40
        iretq                       ; 0

section .rodata
align 8
trap_stubs:                         ; address of each stub, for idt.c
%assign vector 0
%rep 256
        dq stub_%+vector
  %assign vector vector + 1
%endrep
