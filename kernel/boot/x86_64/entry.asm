;
; entry.asm - from the boot loader's 32-bit hand-over to C in the higher half.
;
; Two doors lead in: Multiboot2 (GRUB) and PVH (`qemu -kernel`).  Both give
; 32-bit protected mode without paging, flat segments, interrupts off, and
; the physical address of their data in ebx.  Here the CPU is checked, early
; page tables are filled and long mode is entered; the rest is C.
;
; Sources: Multiboot2 2.0 section 3; Xen docs/misc/pvh; Intel SDM 3A 9.8.5.
;

%include "offsets.inc"

MULTIBOOT2_HEADER equ 0xe85250d6
MULTIBOOT2_MAGIC  equ 0x36d76289    ; in eax
PVH_MAGIC         equ 0x336ec578    ; first word of the PVH data

CR0_BITS  equ 1 << 0 | 1 << 1 | 1 << 5 | 1 << 16 | 1 << 31 ; PE MP NE WP PG
CR4_BITS  equ 1 << 5                ; PAE
EFER      equ 0xc0000080
EFER_BITS equ 1 << 8 | 1 << 11      ; LME NXE
PTE_TABLE equ 0x3                   ; present, writable
PTE_2M    equ 0x83                  ; present, writable, large
COM1      equ 0x3f8
VGA_TEXT  equ 0xb8000

%define PHYS(symbol) ((symbol) - KERNEL_BASE)

extern kernel_main, bootinfo, check_features

; ---- what the loaders look for ----

section .boot.header progbits alloc noexec nowrite align=8

; The Multiboot2 header (specification 2.0, section 3.1): four words (magic,
; architecture 0 for i386 protected mode, length of the whole header with its
; tags, and a checksum that makes the four add up to 0 in 32 bits), then tags.
;
; Each tag begins on a multiple of 8 bytes with type (16 bits), flags (16 bits,
; bit 0: optional) and size (32 bits, without the padding).  Three are wanted:
; console flags (type 4: bit 1, VGA text will do), a framebuffer of any size
; (type 5: width 0, height 0, depth 32), both optional, so that a machine that
; lacks one still boots; and the end tag (type 0, size 8).
;
; Lab 1.1
header:
        dd MULTIBOOT2_HEADER
        dd 0                        ; i386 protected mode
        dd header_end - header
        dd -(MULTIBOOT2_HEADER + (header_end - header))
.text:  dw 4, 1                     ; console flags, optional
        dd .text_end - .text
        dd 1 << 1                   ; VGA text, where GRUB leaves it
.text_end:
        align 8, db 0
.screen:
        dw 5, 1                     ; framebuffer, optional
        dd .screen_end - .screen
        dd 0, 0, 32                 ; width, height: loader's choice
.screen_end:
        align 8, db 0
        dw 0, 0                     ; end tag
        dd 8
header_end:

section .note.Xen note alloc noexec nowrite align=4
        dd 4, 4, 18                 ; name size, value size, PHYS32_ENTRY
        db "Xen", 0
        dd pvh_start

; ---- 32-bit code, at its physical address ----

section .boot.text progbits alloc exec nowrite align=16
bits 32

global pvh_start, multiboot2_start
pvh_start:
        mov eax, PVH_MAGIC
multiboot2_start:
        mov edi, eax                ; loader's magic, later first argument
        rdtsc
        mov [PHYS(bootinfo) + BOOTINFO_ENTRY_TSC], eax
        mov [PHYS(bootinfo) + BOOTINFO_ENTRY_TSC + 4], edx
        mov esi, ebx                ; loader's data, later second argument
        mov esp, PHYS(boot_stack_top)
        cld
        call check_loader
        call check_cpuid
        call check_cpu
        call check_features
        call fill_page_tables
        jmp enter_long_mode

; The magic number in edi says which loader's data lie at esi: MULTIBOOT2_MAGIC
; or PVH_MAGIC.  PVH_MAGIC counts only if it is also the first word at esi,
; because pvh_start has put it into the register without asking.  Returns if
; all is well, else jumps to fail with the address of text_loader in ebx.
; Keeps edi and esi.
;
; Lab 1.2
check_loader:
        mov ebx, text_loader
        cmp edi, MULTIBOOT2_MAGIC
        je .ok
        cmp edi, PVH_MAGIC
        jne fail
        cmp dword [esi], PVH_MAGIC
        jne fail
.ok:    ret

; CPUID exists if EFLAGS.ID can change (Intel SDM 1 19.1).
check_cpuid:
        pushfd
        pop eax
        mov ecx, eax
        xor eax, 1 << 21
        push eax
        popfd
        pushfd
        pop eax
        mov ebx, text_long_mode
        cmp eax, ecx
        je fail
        ret

; Long mode and NX, asked for by CPUID (Intel SDM 2A, CPUID): leaf 80000000h
; gives the highest extended leaf in eax; if that is at least 80000001h, the
; leaf 80000001h has long mode in edx bit 29 and NX in bit 20.  Returns if both
; are there, else jumps to fail with the address of text_long_mode (also where
; the leaf is missing) or text_nx in ebx.  Keeps edi and esi; CPUID writes ebx.
;
; Lab 1.2
check_cpu:
        mov eax, 0x80000000
        cpuid
        mov ebx, text_long_mode
        cmp eax, 0x80000001
        jb fail
        mov eax, 0x80000001
        cpuid
        mov ebx, text_long_mode
        test edx, 1 << 29
        jz fail
        mov ebx, text_nx
        test edx, 1 << 20
        jz fail
        ret

; The first 4 GiB of physical memory in 2 MiB pages, seen at three places:
;
;     PML4[0]    identity, until higher_half takes it away   4 GiB
;     PML4[256]  DIRECT_BASE                                 4 GiB
;     PML4[511]  KERNEL_BASE (PDPT[510])                     1 GiB
;
; The tables are boot_pml4, boot_pdpt_low (for the first two places),
; boot_pdpt_high (for the third) and boot_pd, four page directories in a row,
; whose 2,048 entries map 0, 2 MiB, 4 MiB, ...  All are zero before, and only
; the lower 32 bits of an entry are ever needed.  Entries that point to a table
; are PTE_TABLE, those of large pages PTE_2M.  An entry holds a physical
; address: PHYS(boot_pd), not boot_pd.  Stage 2 replaces all of it.
;
; Lab 1.3
fill_page_tables:
        mov dword [PHYS(boot_pml4)], PHYS(boot_pdpt_low) + PTE_TABLE
        mov dword [PHYS(boot_pml4) + 256 * 8], PHYS(boot_pdpt_low) + PTE_TABLE
        mov dword [PHYS(boot_pml4) + 511 * 8], PHYS(boot_pdpt_high) + PTE_TABLE
        mov eax, PHYS(boot_pd) + PTE_TABLE
        mov dword [PHYS(boot_pdpt_high) + 510 * 8], eax
        xor ecx, ecx
.pdpt:  mov [PHYS(boot_pdpt_low) + ecx * 8], eax
        add eax, 4096
        inc ecx
        cmp ecx, 4
        jb .pdpt
        mov eax, PTE_2M
        xor ecx, ecx
.pd:    mov [PHYS(boot_pd) + ecx * 8], eax
        add eax, 1 << 21
        inc ecx
        cmp ecx, 4 * 512
        jb .pd
        ret

; From 32-bit protected mode to 64-bit code, in the order that the CPU demands
; (Intel SDM 3A 9.8.5): CR4_BITS into CR4, the physical address of boot_pml4
; into CR3, EFER_BITS into the model-specific register EFER, CR0_BITS into CR0.
; From there on paging is on, and the next instruction is found through the
; identity map.  Then lgdt boot_gdt_pointer, and a far jump through selector
; 0x08 loads CS with a 64-bit segment; the rest, under `bits 64`, jumps to
; higher_half, whose address needs all 64 bits.  Keeps edi and esi.  The code
; that follows is 32-bit again: keep `bits 32` at the end.
;
; Lab 1.4
enter_long_mode:
        mov eax, cr4
        or eax, CR4_BITS
        mov cr4, eax
        mov eax, PHYS(boot_pml4)
        mov cr3, eax
        mov ecx, EFER
        rdmsr
        or eax, EFER_BITS
        wrmsr
        mov eax, CR0_BITS
        mov cr0, eax
        lgdt [boot_gdt_pointer]
        jmp 0x08:.code64
bits 64
.code64:
        mov rax, higher_half
        jmp rax
bits 32

; Print the text at ebx on screen and serial line, and stop for ever.
fail:
        cmp ebx, text_loader
        jne .say
        cmp edi, PVH_MAGIC          ; pvh_start is the way in, but the data at
        jne .say                    ; esi begin with something else
        mov ebx, text_pvh_data
.say:   mov edi, VGA_TEXT
        mov esi, text_prefix
        call fail_print
        mov esi, ebx
        call fail_print
        jmp fail_halt

; The same for a feature that this CPU lacks; its name is at ebx.
global fail_feature
fail_feature:
        mov edi, VGA_TEXT
        mov esi, text_prefix
        call fail_print
        mov esi, text_feature
        call fail_print
        mov esi, ebx
        call fail_print
        mov esi, text_use
        call fail_print
fail_halt:
        cli
        hlt
        jmp fail_halt

; Print the string at esi; edi is the place on screen and moves on.
fail_print:
        lodsb
        test al, al
        jz .done
        mov ah, 0x4f                ; white on red
        cmp al, 10
        je .serial
        mov [edi], ax
        add edi, 2
.serial:
        mov ah, al
        mov dx, COM1 + 5            ; line status
        mov ecx, 100000             ; no serial port: do not wait for ever
.wait:  in al, dx
        test al, 1 << 5
        loopz .wait
        mov al, ah
        mov dx, COM1
        out dx, al
        jmp fail_print
.done:  ret

section .boot.rodata progbits alloc noexec nowrite align=8
boot_gdt:
        dq 0
        dq 0x00af9b000000ffff       ; SEL_KCODE: 64-bit code
        dq 0x00cf93000000ffff       ; SEL_KDATA
boot_gdt_pointer:
        dw boot_gdt_pointer - boot_gdt - 1
        dq boot_gdt

text_prefix:    db "Lux9 cannot start: ", 0
text_loader:    db "it was not loaded by Multiboot2 (GRUB 2) or PVH", 10, 0
text_pvh_data:  db "it was not loaded by PVH, or its data are overwritten: "
                db "QEMU does that for an -append of more than 4095 bytes", 10, 0
text_feature:   db "this CPU has no ", 0
text_use:       db "; use one that has it (QEMU: another -cpu)", 10, 0
text_long_mode: db "this CPU has no 64-bit mode (long mode)", 10, 0
text_nx:        db "this CPU has no execute-disable bit (NX)", 10, 0

; ---- 64-bit code, in the higher half from here on ----

section .text
bits 64

; The first instructions at the kernel's own addresses.  Loads ds, es and ss
; with selector 0x10 and fs and gs with 0; takes the identity map away (clears
; boot_pml4's first entry and loads CR3 again, or the CPU may remember it), so
; that a null pointer faults from here on; sets rsp to boot_stack_top and rbp
; to 0, where every backtrace ends.  Then kernel_main(magic, info), with edi
; and esi as they came and their registers' upper halves 0.  It is entered as
; C expects after a call: rsp is 8 below a multiple of 16, and the word there,
; in place of a return address, is 0.
;
; Lab 1.4
higher_half:
        mov ax, 0x10                ; SEL_KDATA
        mov ds, ax
        mov es, ax
        mov ss, ax
        xor eax, eax
        mov fs, ax
        mov gs, ax
        mov [boot_pml4], rax        ; no identity map: NULL faults from here
        mov rax, cr3
        mov cr3, rax
        mov rsp, boot_stack_top     ; empty
        xor ebp, ebp                ; the backtrace ends here
        mov edi, edi                ; magic, upper half cleared
        mov esi, esi                ; loader's data
        push rbp                    ; 8  no return address
        jmp kernel_main

section .bss align=4096
global boot_stack_guard, boot_stack, boot_stack_top
boot_pml4:      resb 4096
boot_pdpt_low:  resb 4096
boot_pdpt_high: resb 4096
boot_pd:        resb 4 * 4096
boot_stack_guard: resb 4096         ; stage 2 unmaps this page
boot_stack:     resb 16384
boot_stack_top:
