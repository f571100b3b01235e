; trampoline.asm - the first instructions of every CPU but the first.
;
; A started CPU begins in real mode at a page below 1 MiB (Intel SDM 3A
; 9.4.4).  smp.c copies the code between trampoline_start and trampoline_end
; to that page and fills in the words at its end.  It goes to long mode in
; one step, with page tables that map this page to itself (read-only) as well
; as the kernel.  If smp.c:starting has its APIC id, it is the CPU that the
; words are for: it calls smp.c:cpu_main on the stack that waits for it.  If
; not, it has come too late and halts.
;
; All addresses are relative to the page: the code does not know where it is
; linked.

        bits 16
        section .rodata

%define AT(label) (TRAMPOLINE + (label - trampoline_start))
TRAMPOLINE equ 0x8000                   ; AP_BOOT_PA of mmu/mmu.h
CR0_PE     equ 1 << 0
CR0_WP     equ 1 << 16
CR0_PG     equ 1 << 31
CR4_PAE    equ 1 << 5
EFER       equ 0xc0000080
EFER_LME   equ 1 << 8
EFER_NXE   equ 1 << 11
CAME_IN    equ 0xfffffffe             ; of smp.c

        global trampoline_start
trampoline_start:
        cli
        cld
        xor ax, ax
        mov ds, ax
        lgdt [AT(gdt_pointer)]
        mov eax, CR4_PAE
        mov cr4, eax
        mov eax, [AT(trampoline_cr3)]
        mov cr3, eax
        mov ecx, EFER
        rdmsr
        or eax, EFER_LME | EFER_NXE
        wrmsr
        mov eax, cr0
        or eax, CR0_PE | CR0_WP | CR0_PG
        and eax, ~(1 << 2 | 1 << 30 | 1 << 29)  ; EM, CD, NW
        mov cr0, eax
        jmp dword 8:AT(long_mode)

        bits 64
long_mode:
        mov ax, 16
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov eax, 1
        cpuid
        shr ebx, 24                     ; its APIC id (Intel SDM 2A, CPUID)
        mov eax, ebx
        mov ecx, CAME_IN
        mov rdx, [AT(trampoline_starting)]
        lock cmpxchg [rdx], ecx         ; once, and no CPU but the one wanted
        jne too_late
        mov rsp, [AT(trampoline_rsp)]
        mov rdi, [AT(trampoline_cpu)]
        mov rax, [AT(trampoline_main)]
        xor ebp, ebp                    ; a backtrace ends here
        call rax                        ; does not return
too_late:
        cli
        hlt
        jmp too_late

        align 8
gdt:    dq 0
        dq 0x00af9b000000ffff           ; 8: 64-bit code
        dq 0x00cf93000000ffff           ; 16: data
gdt_pointer:
        dw $ - gdt - 1
        dd AT(gdt)

        align 8
        global trampoline_cr3, trampoline_rsp, trampoline_cpu, trampoline_main
        global trampoline_starting
trampoline_cr3:  dq 0
trampoline_rsp:  dq 0
trampoline_cpu:  dq 0
trampoline_main: dq 0
trampoline_starting: dq 0
        global trampoline_end
trampoline_end:
