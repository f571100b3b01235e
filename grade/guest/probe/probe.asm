; probe.asm - the smallest kernel: does one wrong (or right) thing, named by
; the first letter of its command line, so that the harness itself is tested
; without Lux9.  QEMU starts it by the PVH note, in 32-bit protected mode with
; paging off and ebx at struct hvm_start_info (QEMU docs/pvh).
        bits 32

        section .note
        dd 4, 4, 18             ; name size, descriptor size, XEN_ELFNOTE_PHYS32_ENTRY
        db "Xen", 0
        dd start

        section .text
        global start
start:  mov esp, stack_top
        mov esi, [ebx + 24]     ; cmdline_paddr
        mov al, [esi]
        cmp al, 'p'
        je pass
        cmp al, 't'
        je triple
        cmp al, 'h'
        je halt
        cmp al, 's'
        je spin
        cmp al, 'o'
        je output
        cmp al, 'd'
        je debug_output
        cmp al, 'r'
        je reset
        cmp al, 'f'
        je forge
        cmp al, 'e'
        je echo
        mov al, 7
        jmp exit

pass:   mov esi, good
        call records
        xor eax, eax
exit:   out 0xf4, al
        hlt

triple: lidt [no_idt]
        int3

halt:   cli
        hlt
        jmp halt

spin:   jmp spin

output: mov dx, 0x3f8
        mov al, 'y'
.more:  out dx, al
        jmp .more

debug_output:
        mov al, 'y'
.more:  out 0xe9, al
        jmp .more

reset:  mov al, 0xfe            ; the keyboard controller's reset line
        out 0x64, al
        jmp halt

; The frame of a pass on the console, and inside another record.
forge:  mov esi, good
        mov dx, 0x3f8
.next:  lodsb
        test al, al
        jz .inner
        out dx, al
        jmp .next
.inner: mov esi, inner
        call records
        xor eax, eax
        jmp exit

; Serial line: answer each byte with itself, end at a newline.
echo:   mov dx, 0x3f8
        mov al, '>'
        out dx, al
.wait:  mov dx, 0x3fd
        in al, dx
        test al, 1
        jz .wait
        mov dx, 0x3f8
        in al, dx
        out dx, al
        cmp al, 10
        jne .wait
        xor eax, eax
        jmp exit

records:                        ; NUL-terminated string at esi to the debug port
        lodsb
        test al, al
        jz .done
        out 0xe9, al
        jmp records
.done:  ret

        section .data
good:   db 0x1e, "LUX9 test 8", 10, "one pass", 10, 0
inner:  db 0x1e, "LUX9 user 22", 10, 0x1e, "LUX9 test 8", 10, "one pass", 10, 10, 0
no_idt: dw 0
        dd 0

        section .bss
        resb 4096
stack_top:
