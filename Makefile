# Makefile - builds Lux9, starts it, tests it.
#
#   make              the kernel, the programs, the boot archive
#   make qemu         boots the ISO here, on the serial console (Ctrl-A X ends)
#   make qemu-window  the same, with the screen in a window
#   make qemu-direct  without GRUB: starts the kernel at once
#   make iso          build/<variant>/lux9.iso, for BIOS and UEFI
#   make test         all tests; T=mmu or T=name: some (docs: grade/README.md)
#   make fuzz         RUNS= inputs at random for the 9P codec
#   make check        format, layers, dead prototypes, names in the docs
#   make doctor       what this system lacks, and the command that mends it
#   make gdb          the machine under GDB; T=name: one test, AT=label: from there
#   make replay T=name  records a test and replays it, backwards too
#   make trace        a picture of what RUN="program words" did on CPUS=2
#   make book         the book as HTML in build/book/ (docs/, labs/)
#   make figures      the book's figures, from docs/figures/*.py
#   make hint STEP=2.3  the next hint for a step of a lab
#   make grade LAB=n  points for this tree; SUBMISSION=file: for that archive
#   make handin LAB=n the files to hand in, as an archive
#   make class LAB=n DIR=dir OUT=dir  points for a folder of archives; CLUSTER=slurm
#   make handout LAB=n OUT=dir, course, labcheck: tools/course/README.md
#   make clean        removes build/
#
# Variables: STAGE=1..4 (how many layers), DEBUG=1, SAN=ubsan|kasan,
# KTEST=1 (with the kernel's own tests), CC=gcc|clang, CROSS=prefix;
# to run: CPUS=, MEM= (MiB), UEFI=1, APPEND="kernel command line".
# Each combination is built in its own folder, build/<variant>/.

ifeq ($(filter-out 3.%,$(MAKE_VERSION)),) # Apple's
$(error make: too old ($(MAKE_VERSION)); use GNU make 4.0 or later, gmake on macOS)
endif
MAKEFLAGS += --no-builtin-rules --no-builtin-variables
ifeq ($(MAKELEVEL)$(findstring -j,$(MAKEFLAGS)),0) # a job for each CPU, unless told
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 2)
endif
.DELETE_ON_ERROR:
.SECONDEXPANSION:

# ---- what this system lacks is installed first ----

# $(call install,goal): all that is missing, if the goal cannot do without
install = $(shell test build/.tools-$1 -nt tools/doctor.py || \
	{ tools/install.sh for $1 >&2 && mkdir -p build && touch build/.tools-$1; } || \
	echo missing)
$(foreach g,$(filter qemu qemu-window qemu-direct test,$(MAKECMDGOALS)),$(if \
	$(call install,$g),$(error make $g: tools are missing; make doctor lists them)))

# ---- the kernel's source files, by stage, with what each one is ----

# Only words that end in .c or .asm count; the rest of a line is for people.
sources = $(filter %.c %.asm,$1)

define KERNEL_0
kernel/main.c                       the layers, started in order
endef

define KERNEL_1
kernel/boot/x86_64/entry.asm        from the loader to 64-bit C
kernel/boot/start.c                 boot_init: what follows, in order
kernel/boot/bootinfo.c              what the loader told us
kernel/boot/multiboot2.c            how GRUB tells it
kernel/boot/pvh.c                   how `qemu -kernel` tells it
kernel/boot/cmdline.c               kernel command line
kernel/boot/console.c               one stream out, one in, panic log
kernel/boot/serial.c                COM1
kernel/boot/screen.c                a terminal of character cells
kernel/boot/vga.c                   on a VGA text screen
kernel/boot/framebuffer.c           on a screen of pixels
kernel/boot/keyboard.c              PS/2 keyboard
kernel/boot/format.c                engine of formatted output
kernel/boot/print.c                 formatted output of the kernel
kernel/boot/string.c                memory and strings
kernel/boot/lock.c                  spinlocks that do nothing yet
kernel/boot/x86_64/gdt.c            segments, TSS, per-CPU data by GS
kernel/boot/x86_64/idt.c            gates of the 256 vectors
kernel/boot/x86_64/trap_entry.asm   their entry and exit
kernel/boot/trap.c                  who handles which vector
kernel/boot/trap_dump.c             registers for human eyes
kernel/boot/x86_64/pic.c            old interrupt controllers, silenced
kernel/boot/x86_64/features.c       the CPU's features, NX, SMEP, SMAP, SSE
kernel/boot/x86_64/features.asm     refuses a CPU that lacks one
kernel/boot/stack_guard.c           stack protector
kernel/boot/symbols.c               address to function and line
kernel/boot/backtrace.c             calls on the stack
kernel/boot/panic.c                 the kernel's own bugs
kernel/boot/acpi.c                  the firmware's tables
kernel/boot/madt.c                  CPUs and interrupt controllers
kernel/boot/power.c                 power off, reboot
kernel/boot/debugport.c             records for tests, exit from QEMU
kernel/boot/ktest.c                 runs tests by name
kernel/boot/monitor.c               a prompt for stages 1 and 2
kernel/boot/monitor_boot.c          its commands about stage 1
endef

# only with SAN=ubsan
define KERNEL_UBSAN
kernel/boot/ubsan.c                 reports of undefined behaviour
endef

# only with SAN=kasan, from stage 2 on
define KERNEL_KASAN
kernel/mmu/kasan.c                  every access of the kernel checked
endef

define KERNEL_2
kernel/mmu/mmu_init.c               what follows, in order
kernel/mmu/mem_map.c                the loader's map made whole frames
kernel/mmu/frame_init.c             how frames come to life
kernel/mmu/frame.c                  pages given out, counted, taken back
kernel/mmu/reserve.c                pages set aside
kernel/mmu/buddy.c                  free blocks of 2^order frames
kernel/mmu/pt.c                     page tables
kernel/mmu/kmap.c                   the kernel's half of every space
kernel/mmu/kheap.c                  kernel heap by size classes
kernel/mmu/kheap_magazine.c         blocks at hand for each CPU
kernel/mmu/kheap_debug.c            guards around its blocks (DEBUG=1)
kernel/mmu/kvm.c                    stacks with guards, device registers
kernel/mmu/space.c                  address spaces
kernel/mmu/region.c                 what their addresses mean
kernel/mmu/kinds.c                  anonymous, stack and image regions
kernel/mmu/shared.c                 memory that several spaces show
kernel/mmu/space_copy.c             fork's half of memory
kernel/mmu/brk.c                    the end of the heap
kernel/mmu/fault.c                  page faults
kernel/mmu/tlb.c                    making CPUs forget
kernel/mmu/copy.c                   the only way to user memory
kernel/mmu/x86_64/usercopy.asm      the instructions that touch it
kernel/mmu/check.c                  is what stage 2 believes true?
kernel/mmu/selftest.c               a short proof that it works
kernel/mmu/mmu_monitor.c            its commands at the prompt
endef

define KERNEL_3
kernel/sched/init.c                 what follows, in order
kernel/sched/spinlock.c             locks with ranks
kernel/sched/sleep.c                wait queues
kernel/sched/qlock.c                locks to hold across sleeps
kernel/sched/rwlock.c               many readers or one writer
kernel/sched/waitfor.c              deadlocks found (DEBUG=1)
kernel/sched/heap.c                 pairing heap
kernel/sched/waittab.c              processes that wait for a number
kernel/sched/timer.c                one-shot timers
kernel/sched/clock.c                nanoseconds since boot
kernel/sched/x86_64/apic.c          local APICs and I/O APIC
kernel/sched/x86_64/smp.c           the other CPUs
kernel/sched/x86_64/trampoline.asm  their first instructions
kernel/sched/sched.c                who runs
kernel/sched/wake.c                 falling asleep and waking
kernel/sched/fair.c                 fair share by weight
kernel/sched/edf.c                  earliest deadline first
kernel/sched/x86_64/switch.asm      from one kernel stack to another
kernel/sched/fpu.c                  floating-point registers
kernel/sched/x86_64/selectors.c     segment registers of programs
kernel/sched/proc.c                 the process table
kernel/sched/fork.c                 rfork
kernel/sched/exec.c                 a process's new program
kernel/sched/elf.c                  program files, checked
kernel/sched/elf_symbol.c           their function names
kernel/sched/archive.c              the boot archive
kernel/sched/exit.c                 the end of a process
kernel/sched/note.c                 notes
kernel/sched/note_group.c           notes to a group, while it forks
kernel/sched/vital.c                processes that must live
kernel/sched/user_fault.c           what the CPU refuses a program
kernel/sched/rendez.c               rendezvous
kernel/sched/sema.c                 semaphores in user memory
kernel/sched/console_owner.c         whose the console is
kernel/sched/console_input.c        lines typed
kernel/sched/trace.c                the trace ring
kernel/sched/x86_64/syscall_entry.asm  where `syscall` arrives
kernel/sched/syscall.c              from number to function
kernel/sched/sys_proc.c             calls about processes
kernel/sched/sys_mem.c              calls about memory
kernel/sched/sys_sched.c            calls about time and scheduling
kernel/sched/sys_misc.c             calls about the rest
kernel/sched/hooks.c                what later layers do
endef

define KERNEL_4
kernel/9p/files.c                   what a process has of stage 4
kernel/9p/chan.c                    channels
kernel/9p/io.c                      where bytes go and come from
kernel/9p/path.c                    how a channel was reached
kernel/9p/names.c                   a path as its names
kernel/9p/walk.c                    along them through the name space
kernel/9p/name.c                    from a name to a channel
kernel/9p/namespace.c               what is bound where
kernel/9p/union.c                   reading unions
kernel/9p/fdtable.c                 file descriptors
kernel/9p/program.c                 exec through the name space
kernel/9p/show.c                    all that as text
kernel/9p/error.c                   errors in a server's words
kernel/9p/sys_file.c                calls about files
kernel/9p/sys_fid.c                 system calls: files by descriptor alone
kernel/9p/sys_ns.c                  calls about name spaces
kernel/9p/dev.c                     the device switch and its defaults
kernel/9p/dev_root.c                #/ directories to bind at
kernel/9p/dev_boot.c                #B the boot archive
kernel/9p/dev_dup.c                 #d open files by number
kernel/9p/queue.c                   blocks of bytes, queues of them
kernel/9p/dev_pipe.c                #| pipes
kernel/9p/dev_env.c                 #e environment variables
kernel/9p/mnt.c                     #M files of 9P servers: an operation, a message
kernel/9p/mnt_version.c             how a connection begins
kernel/9p/mnt_rpc.c                 a message and its answer, or a note
kernel/9p/mnt_request.c             requests and their tags
kernel/9p/mnt_dir.c                 directories, read with little room
kernel/9p/mnt_wire.c                sending, and waiting for the answer
kernel/9p/mnt_input.c               messages out of a stream of bytes
kernel/9p/mnt_show.c                messages in flight as text
kernel/9p/mnt_conn.c                connections: fids, charge, the end
kernel/9p/ids.c                     small numbers for pointers
kernel/9p/dev_srv.c                 #s open files posted for others
kernel/9p/dev_proc.c                #p processes
kernel/9p/proc_mem.c                their memory and registers
kernel/9p/proc_ctl.c                commands and notes to them
kernel/9p/dev_trace.c               #t the trace rings as text
kernel/9p/dev_uart.c                #u serial ports
kernel/9p/dev_cons.c                #c console, time, facts about the machine
kernel/9p/counters.c                what CPUs, memory and a process have used
kernel/9p/wall.c                    the time of day
kernel/9p/x86_64/rtc.c              the battery clock
kernel/9p/random.c                  unguessable numbers
endef

# the same object files in the kernel, in programs and in tests on the host
define SHARED_4
kernel/9p/fcall.c                   9P messages to bytes
kernel/9p/fcall_unpack.c            and back, trusting nothing
kernel/9p/fcall_print.c             as a line for people
endef

listed := $(foreach list,0 1 UBSAN KASAN 2 3 4,$(call sources,$(KERNEL_$(list)))) \
	kernel/boot/x86_64/offsets.c $(call sources,$(SHARED_4))
unlisted := $(filter-out $(listed),$(wildcard \
	kernel/*.c kernel/*/*.c kernel/*/x86_64/*.c kernel/*/x86_64/*.asm))
$(if $(unlisted),$(warning in none of the lists above: $(unlisted)))

# tests inside the kernel (KTEST=1); the name tells the stage
KTEST_1 = $(wildcard grade/guest/kernel/test_boot_*.c)
KTEST_2 = $(wildcard grade/guest/kernel/test_mmu_*.c)
KTEST_3 = $(wildcard grade/guest/kernel/test_sched_*.c)
KTEST_4 = $(wildcard grade/guest/kernel/test_9p_*.c)

# ---- variant ----

present := 1 $(if $(wildcard kernel/mmu/*.c),2) \
	$(if $(wildcard kernel/sched/*.c),3) $(if $(wildcard kernel/9p/*.c),4)
STAGE ?= $(lastword $(present))
include tools/make/variables.mk
STAGE := $(or $(STAGE),$(lastword $(present)))
stages := $(wordlist 1,$(STAGE),1 2 3 4)
VARIANT := s$(STAGE)$(if $(DEBUG),-debug)$(if $(KTEST),-ktest)$(if $(SAN),-$(SAN))
VARIANT := $(VARIANT)$(if $(filter-out gcc,$(CC)),-$(CC))
B := build/$(VARIANT)
KERNEL := $(B)/lux9.elf

# ---- tools: the first cross toolchain that works ----

works = $(findstring x86_64,$(shell $1gcc -dumpmachine 2>/dev/null))
ifeq ($(origin CROSS),undefined)
CROSS := $(if $(call works,x86_64-elf-),x86_64-elf-,$(if \
	$(call works,x86_64-linux-gnu-),x86_64-linux-gnu-))
endif
ifeq ($(filter clang%,$(CC)),)
KCC := $(CROSS)$(or $(CC),gcc)
ifneq ($(CC),) # named by the user: a cross compiler of that version, or plain
KCC := $(if $(shell command -v $(KCC)),$(KCC),$(CC))
endif
else
KCC := $(CC) --target=x86_64-unknown-linux-gnu
endif
ifeq ($(if $(CC),$(findstring x86_64,$(shell $(KCC) -dumpmachine 2>/dev/null)),-),)
$(error CC: not installed, or not for x86-64 ($(CC)); install it, or see make doctor)
endif
ifneq ($(findstring elf_x86_64,$(shell $(CROSS)ld -V 2>/dev/null)),)
LD := $(CROSS)ld
BINUTILS := $(CROSS)
else
LD := ld.lld
BINUTILS := llvm-
endif
NM := $(BINUTILS)nm
AR := $(BINUTILS)ar
STRIP := $(BINUTILS)strip
OBJCOPY := $(BINUTILS)objcopy
NASM := nasm
PYTHON := $(firstword $(wildcard /usr/bin/python3) python3)
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $1 $2)

# ---- flags ----

# handouts of the labs have this: what a step says that is not written yet
-include labs/todo/todo.mk

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
KCFLAGS := -std=gnu2x -O2 -g $(WARN) -ffreestanding -fno-builtin \
	-mno-red-zone -mgeneral-regs-only -mcmodel=kernel -fno-pic -fno-pie \
	-fno-omit-frame-pointer -fno-optimize-sibling-calls \
	-fno-asynchronous-unwind-tables -fno-strict-aliasing -fno-common \
	-fstack-protector-strong -mstack-protector-guard=global \
	-ffile-prefix-map=$(call quote,$(CURDIR))=. \
	-Ikernel -Ikernel/include -DSTAGE=$(STAGE) -DKERNEL_ELF='"$(KERNEL)"' \
	$(if $(DEBUG),-DDEBUG=1) $(if $(DEBUG)$(KTEST)$(SAN),-DLOCK_CHECKS=1) \
	$(TODO_CFLAGS)
KCFLAGS += $(if $(filter clang%,$(CC)),,-fno-tree-loop-distribute-patterns)
UBSAN_FLAGS := -fsanitize=undefined
# a call for each access, which only stage 2 can answer; no stacks, no globals
kasan := $(if $(filter kasan,$(SAN)),$(filter-out 1,$(STAGE)))
KASAN_FLAGS := -fsanitize=kernel-address $(if $(filter clang%,$(CC)), \
	$(addprefix -mllvm -asan-,instrumentation-with-call-threshold=0 \
	stack=0 globals=0), $(addprefix --param asan-,\
	instrumentation-with-call-threshold=0 stack=0 globals=0))
KCFLAGS += $(if $(kasan),-DKASAN=1)
SAN_FLAGS := $(if $(filter ubsan,$(SAN)),$(UBSAN_FLAGS)) \
	$(if $(kasan),$(KASAN_FLAGS))
NASMFLAGS := -f elf64 -g -F dwarf -Werror -I$(B)/ -Ikernel/ $(TODO_NASMFLAGS)
KLDFLAGS := -nostdlib -static -z max-page-size=0x1000 -z noexecstack \
	--build-id=none -T kernel/lux9.ld \
	$(if $(kasan),$(addprefix --wrap=,memset memcpy memmove))

# ---- kernel ----

SOURCES := $(foreach n,0 $(stages),$(call sources,$(KERNEL_$(n)))) \
	$(if $(filter ubsan,$(SAN)),$(call sources,$(KERNEL_UBSAN))) \
	$(if $(kasan),$(call sources,$(KERNEL_KASAN))) \
	$(if $(KTEST),$(foreach n,$(stages),$(call sources,$(KTEST_$(n))))) \
	$(TODO_SOURCES)
SHARED := $(addprefix $(B)/shared/,$(addsuffix .o,$(foreach n,$(stages),\
	$(call sources,$(SHARED_$(n))))))
OBJECTS := $(addprefix $(B)/,$(addsuffix .o,$(SOURCES))) $(SHARED) $(B)/font.o

all: $(KERNEL) $$(BOOT_ARCHIVE)
.PHONY: all iso qemu qemu-window qemu-direct clean
.DEFAULT_GOAL := all

# $(call remember,text): write text to the target, unless it is there already,
# so that what depends on it is made again when the text changes and only then;
# flags are remembered without the tree's place, so that it may be moved
define remember
$(file >$@.new,$1)
$(Q)cmp -s $@.new $@ && rm $@.new || mv $@.new $@
endef

$(B)/objects: FORCE | $$(@D)/
	$(call remember,$(LD) $(KLDFLAGS) $(OBJECTS))

$(B)/flags: FORCE | $$(@D)/
	$(Q)$(KCC) -dumpmachine 2>/dev/null | grep -q x86_64 || { echo "\
	$(KCC) makes no code for x86-64: see make doctor" >&2; exit 1; }
	$(call remember,$(subst $(call quote,$(CURDIR)),.,$(KCC) \
		$(KCFLAGS) $(SAN_FLAGS) $(UCFLAGS) $(NASMFLAGS)))
FORCE:

# how a file is compiled and assembled, for who must do it too
commands:
	@:$(info $(KCC) $(KCFLAGS) $(SAN_FLAGS))$(info $(NASM) $(NASMFLAGS))
.PHONY: commands

# Linked twice: the first kernel's symbols and line numbers become tables in
# the second.  They lie behind the code, so that the code does not move.
TABLES := $(B)/symbols.o $(B)/lines.o
$(KERNEL): $(B)/pass1.elf $(TABLES)
	$(call say,LD,$@)
	$(Q)$(LD) $(KLDFLAGS) -o $@ $(OBJECTS) $(TABLES)
	$(Q)$(NM) -n $@ | $(PYTHON) tools/symbols.py | cmp -s - $(B)/symbols.c || \
		{ echo "$@: code moved between the two links" >&2; rm $@; exit 1; }

$(B)/pass1.elf: $(OBJECTS) $(B)/no/symbols.o $(B)/no/lines.o kernel/lux9.ld \
		$(B)/objects
	$(Q)$(LD) $(KLDFLAGS) -o $@ $(OBJECTS) $(B)/no/symbols.o $(B)/no/lines.o

$(B)/symbols.c: $(B)/pass1.elf tools/symbols.py
	$(Q)$(NM) -n $< | $(PYTHON) tools/symbols.py > $@

$(B)/lines.c: $(B)/pass1.elf tools/lines.py
	$(Q)$(BINUTILS)objdump -w --dwarf=decodedline $< 2>/dev/null | \
		$(PYTHON) tools/lines.py > $@

$(B)/no/%.c: tools/%.py | $$(@D)/
	$(Q)$(PYTHON) $< < /dev/null > $@

# characters for screens without any: part of GRUB, as everything to boot is
FONT ?= $(firstword $(wildcard /usr/share/grub/unicode.pf2 \
	/boot/grub/fonts/unicode.pf2 /usr/share/grub2/unicode.pf2))
$(B)/font.c: tools/font.py $(FONT) | $$(@D)/
	$(Q)test -n "$(FONT)" || { echo "unicode.pf2 not found: it is in the \
	package grub-common; or set FONT=" >&2; exit 1; }
	$(Q)$(PYTHON) tools/font.py $(FONT) > $@

GENERATED := $(TABLES) $(B)/no/symbols.o $(B)/no/lines.o $(B)/font.o
$(GENERATED): %.o: %.c
	$(Q)$(KCC) $(KCFLAGS) -MMD -MP -c -o $@ $<

$(B)/%.c.o: %.c $(B)/flags | $$(@D)/
	$(call say,CC,$<)
	$(Q)$(KCC) $(KCFLAGS) $(SAN_FLAGS) -MMD -MP -c -o $@ $<

# runs wherever it is linked: in the kernel's half, in programs, on the host
$(B)/shared/%.c.o: %.c $(B)/flags | $$(@D)/
	$(call say,CC,$<)
	$(Q)$(KCC) -std=gnu2x -O2 -g $(WARN) -ffreestanding -fno-builtin -fpie \
		-mno-red-zone -mgeneral-regs-only -fno-omit-frame-pointer \
		-fno-asynchronous-unwind-tables -fno-strict-aliasing \
		-fno-stack-protector -fvisibility=hidden \
		-ffile-prefix-map=$(call quote,$(CURDIR))=. -Ikernel -Ikernel/include $(TODO_CFLAGS) \
		-MMD -MP -c -o $@ $<

# what reports a mistake must not report its own
$(B)/kernel/boot/ubsan.c.o: SAN_FLAGS :=
# and what hands out memory may touch what nobody else may
ifneq ($(kasan),)
$(addprefix $(B)/kernel/,mmu/kasan.c.o mmu/frame.c.o mmu/kheap.c.o \
	mmu/kheap_debug.c.o boot/string.c.o): SAN_FLAGS :=
endif

# NASM's table of address ranges names all sections, its compilation unit the
# first alone: GDB believes the table, and complains at each step in another
$(B)/%.asm.o: %.asm $(B)/offsets.inc $(B)/flags tools/asm_place.py | $$(@D)/
	$(call say,NASM,$<)
	$(Q)$(NASM) $(NASMFLAGS) -MD $@.d -MP -o $@ $<
	$(Q)$(PYTHON) tools/asm_place.py $@
	$(Q)$(OBJCOPY) -R .debug_aranges -R .rela.debug_aranges $@

# structure offsets for assembly, from what the C compiler lays out
$(B)/offsets.inc: kernel/boot/x86_64/offsets.c $(B)/flags | $$(@D)/
	$(Q)$(KCC) $(KCFLAGS) -MMD -MP -MT $@ -MF $@.d -S -o $@.s $<
	$(Q)sed -n 's/^.*# offset \([A-Z0-9_]*\) \(-*[0-9]*\).*/%define \1 \2/p' $@.s > $@

.PRECIOUS: %/
%/:
	@mkdir -p $@

-include $(OBJECTS:.o=.d) $(GENERATED:.o=.d) $(addsuffix .d,$(OBJECTS)) \
	$(B)/offsets.inc.d

# ---- user programs and the boot archive ----

define USER_LIB
user/lib/x86_64/crt0.asm      first instructions of a program
user/lib/x86_64/syscalls.asm  a stub for each system call
user/lib/x86_64/setjmp.asm    non-local jumps
user/lib/start.c              main, exits, atexit
user/lib/errstr.c             the last error in words
user/lib/process.c            fork, exec by name, wait for one
user/lib/args.c               options
kernel/boot/format.c          engine of print, the kernel's own source
user/lib/print.c              its letters for programs
user/lib/float.c              doubles as text
user/lib/console.c            print
user/lib/memory.c             move, fill, compare bytes
user/lib/string.c             strings, words of a line
user/lib/ctype.c              kinds of characters
user/lib/number.c             numbers and durations from text
user/lib/malloc.c             the heap
user/lib/sort.c               qsort, bsearch
user/lib/random.c             repeatable random numbers
user/lib/lock.c               locks in shared memory
endef

# only while there are no files
define USER_LIB_STAGE3
user/lib/cons_io.c            print to the console, read lines from it
user/lib/no_files.c           what files have no part in
endef

# programs, each a file or a folder of its own: from stage 3 on
define USER_CMD
user/cmd/sleep.c     wait
user/cmd/time.c      run a program and time it
user/cmd/primes.c    print prime numbers
user/cmd/fib.c       a recursive load
user/cmd/spin.c      a load for the scheduler
user/cmd/forkbomb.c  many processes at once
user/cmd/ping.c      two processes that meet
user/cmd/nice.c      run a program with a weight
user/cmd/edf.c       run with a deadline
user/cmd/crash.c     faults on purpose
user/cmd/mem.c       use memory
user/cmd/shutdown.c  switch off
user/cmd/reboot.c    restart
user/cmd/trace.c     kernel tracing on and off
user/cmd/bench.c     rows of the speed table
user/cmd/true.c      succeed
user/cmd/false.c     fail
endef

# only while there are no files
define USER_CMD_STAGE3
user/stage3/init.c   first process: greets, keeps a shell running
user/stage3/sh.c     command loop
user/stage3/ls.c     files of the boot archive
user/stage3/echo.c   print the arguments
user/stage3/ps.c     processes
user/stage3/kill.c   post a note
user/stage3/uptime.c time since boot
user/stage3/free.c   memory in use
user/stage3/sysstat.c   counters of the CPUs
endef

# from stage 4 on
define USER_CMD_4
user/cmd/init.c          first process: name space, a shell
user/cmd/bench/pipes.c   rows about pipes
user/cmd/bench/files.c   rows about files of a server
user/cmd/sh/main.c       the shell: where commands come from
user/cmd/sh/lex.c        text to tokens
user/cmd/sh/parse.c      tokens to a tree
user/cmd/sh/run.c        a walk through the tree
user/cmd/sh/expand.c     $x, $(...), quotes
user/cmd/sh/glob.c       patterns of file names
user/cmd/sh/var.c        variables
user/cmd/sh/redir.c      < > >>
user/cmd/sh/builtin.c    commands of its own
user/cmd/sh/jobs.c       children
user/cmd/sh/mem.c        its memory
user/cmd/sh/edit.c       a line typed
user/cmd/sh/keys.c       bytes to keys and characters
user/cmd/sh/history.c    lines typed earlier
user/cmd/sh/complete.c   the Tab key
user/cmd/echo.c          print the arguments
user/cmd/cat.c           copy files to the output
user/cmd/cp.c            copy files
user/cmd/mv.c            rename, move
user/cmd/rm.c            remove
user/cmd/mkdir.c         make directories
user/cmd/touch.c         make files, set their time
user/cmd/chmod.c         change permissions
user/cmd/ls.c            list files
user/cmd/du.c            how much is in directories
user/cmd/pwd.c           current directory
user/cmd/basename.c      last element of a path
user/cmd/wc.c            count lines, words, bytes
user/cmd/grep.c          lines that a pattern fits
user/cmd/sort.c          put lines in order
user/cmd/uniq.c          lines once
user/cmd/head.c          first lines
user/cmd/tail.c          last lines
user/cmd/cut.c           parts of lines
user/cmd/tr.c            put characters for others
user/cmd/tee.c           copy to files and the output
user/cmd/xd.c            bytes as numbers
user/cmd/cmp.c           are files the same?
user/cmd/sum.c           check sums
user/cmd/dd.c            copy blocks
user/cmd/seq.c           count
user/cmd/expr.c          reckon
user/cmd/test.c          is something so?
user/cmd/date.c          date and time
user/cmd/ps.c            processes
user/cmd/kill.c          post a note
user/cmd/uptime.c        time since boot
user/cmd/free.c          memory in use
user/cmd/sysstat.c       counters of the CPUs
user/cmd/env.c           variables
user/cmd/read.c          a line into a variable
user/cmd/which.c         where programs are
user/cmd/sed.c           change lines on their way
user/cmd/ed/main.c       the line editor: commands
user/cmd/ed/lines.c      lines added, moved, shown
user/cmd/ed/substitute.c s/pattern/text/
user/cmd/ed/address.c    which lines
user/cmd/ed/buffer.c     the lines of the file
user/cmd/diff.c          lines that differ
user/cmd/help.c          what can be typed
user/cmd/man.c           a page of the manual
endef

# file servers, and programs that bring them together
define USER_SRV
user/servers/ramfs.c     files in memory
user/servers/tally.c     counters
user/servers/exportfs.c  a name space for others
user/servers/hostfs/main.c  files of a host
user/servers/hostfs/ops.c   what clients ask
user/servers/hostfs/readdir.c  directories
user/servers/hostfs/change.c  names, facts, ends
user/servers/hostfs/tree.c  which tree of the host's
user/servers/hostfs/calls.c in terms of 9P2000.L
user/servers/hostfs/rpc.c   messages and their answers
user/servers/hostfs/link.c  many at a time on one link
user/servers/hostfs/msg.c   messages of 9P2000.L
user/cmd/srv.c           post a connection
user/cmd/mount.c         a server's files in the name space
user/cmd/unmount.c       undo it
user/cmd/bind.c          a second name
user/cmd/ns.c            show the name space
endef

define USER_LIB_4
user/lib/boot_ns.c            the first process's name space
user/lib/file_io.c            bytes from and to files
user/lib/dir.c                directory entries
user/lib/bio.c                buffered files
user/lib/filter.c             programs that read files in turn
user/lib/env.c                variables
user/lib/path.c               paths, modes, dates as text
user/lib/copy.c               copy and remove, for cp, mv, rm
user/lib/regex.c              regular expressions
endef

# lib9p, for file servers
define USER_LIB_9P
user/lib/9p/table.c           things found by number
user/lib/9p/fid.c             fids of a connection
user/lib/9p/req.c             the life of a request
user/lib/9p/flush.c           requests that nobody wants any more
user/lib/9p/conn.c            a connection, message by message
user/lib/9p/line.c            one client after the other, unseen
user/lib/9p/handle.c          from a message to its handler
user/lib/9p/session.c         version, auth, attach, clunk
user/lib/9p/walk.c            walk
user/lib/9p/open.c            open, create, remove
user/lib/9p/io.c              read, write, stat, wstat
user/lib/9p/work.c            requests in processes of their own
user/lib/9p/process.c         these processes
user/lib/9p/post.c            a server in the background
user/lib/9p/tree.c            files in a tree
user/lib/9p/tree_srv.c        its answers
user/lib/9p/tree_dir.c        its directories
user/lib/9p/tree_wstat.c      its changes
user/lib/9p/perm.c            permission bits
user/lib/9p/users.c           who is in which group
endef

# programs that test (KTEST=1), in the archive's folder test/; p9_*: stage 4
USER_TESTS = $(filter-out $(if $(filter 4,$(stages)),,grade/guest/user/p9_%),\
	$(wildcard grade/guest/user/*.c))

U := $(B)/user
UCFLAGS := -std=gnu2x -O2 -g $(WARN) -ffreestanding -fno-pic -fno-pie \
	-fno-omit-frame-pointer -mno-omit-leaf-frame-pointer \
	-fno-asynchronous-unwind-tables -fno-stack-protector \
	-fno-strict-aliasing -fno-common \
	-ffunction-sections -fdata-sections -ffile-prefix-map=$(call quote,$(CURDIR))=. \
	-Iuser -Ikernel -Ikernel/include -DSTAGE=$(STAGE) $(TODO_CFLAGS)
UCFLAGS += $(if $(filter clang%,$(CC)),,-fno-tree-loop-distribute-patterns)
# muldefs: a program may have a function with a name of the library's; its
# objects come first, so it is the one that counts
ULDFLAGS := -z muldefs -nostdlib -static -z max-page-size=0x1000 -z noexecstack \
	--gc-sections --build-id=none -T user/user.ld

files := $(if $(filter 4,$(stages)),4,STAGE3)
ULIB := $(call sources,$(USER_LIB) $(USER_LIB_$(files)) $(if $(filter 4,$(files)),$(USER_LIB_9P))) $(TODO_USER_SOURCES)
ULIB_OBJECTS := $(addprefix $(U)/,$(addsuffix .o,$(ULIB))) $(SHARED)
USER_CMDS := $(call sources,$(USER_CMD) $(USER_CMD_$(files)) $(if $(filter 4,$(files)),$(USER_SRV)))
# user/cmd/ls.c and user/cmd/sh/run.c are parts of the programs ls and sh
program_of = $(basename $(word 3,$(subst /, ,$1)))
$(foreach c,$(USER_CMDS),$(eval parts_$(call program_of,$c) += $(U)/$c.o))
USER_BIN := $(addprefix bin/,$(sort $(foreach c,$(USER_CMDS),$(call program_of,$c))))
USER_TEST_BIN := $(USER_TESTS:grade/guest/user/%.c=test/%)
USER_ETC := etc/motd $(if $(filter 4,$(stages)),etc/users)

# The ustar archive that the kernel gets as its boot module; the same bytes
# whoever packs it and whenever.
ifneq ($(filter 3,$(stages)),)
BOOT_ARCHIVE := $(B)/boot.tar
endif
archived := $(USER_BIN) $(USER_ETC) $(if $(filter 4,$(stages)),lib) $(if $(KTEST),$(USER_TEST_BIN) elf)
$(B)/boot.tar: $(addprefix $(U)/root/,$(archived)) tools/archive.py
	$(call say,TAR,$@)
	$(Q)$(PYTHON) tools/archive.py $@ $(U)/root $(sort $(archived))

# program files that lie, for grade/guest/user/elf.c
$(U)/root/elf: grade/guest/make_elfs.py | $$(@D)/
	$(Q)rm -rf $@ && $(PYTHON) $< $@

# the manual, from the programs themselves and user/man
$(U)/root/lib: tools/manual.py $(USER_CMDS) $(wildcard user/man/*) | $$(@D)/
	$(Q)rm -rf $@ && $(PYTHON) $< $@ $(filter %.c,$^)

$(U)/root/etc/%: user/etc/% | $$(@D)/
	$(Q)install -m 0644 $< $@

# *.elf keeps everything for GDB; the archive's copy only the symbols
$(U)/root/%: $(U)/%.elf | $$(@D)/
	$(Q)$(STRIP) --strip-debug -o $@ $<

$(U)/bin/%.elf: $$(parts_$$*) $(U)/liblux.a user/user.ld | $$(@D)/
	$(call say,LD,$@)
	$(Q)$(LD) $(ULDFLAGS) -o $@ $(parts_$*) $(U)/liblux.a

$(U)/test/%.elf: $(U)/grade/guest/user/%.c.o $(U)/liblux.a user/user.ld \
		| $$(@D)/
	$(call say,LD,$@)
	$(Q)$(LD) $(ULDFLAGS) -o $@ $< $(U)/liblux.a

$(U)/liblux.a: $(ULIB_OBJECTS)
	$(Q)rm -f $@ && $(AR) rcsD $@ $^

$(U)/%.c.o: %.c $(B)/flags | $$(@D)/
	$(call say,CC,$<)
	$(Q)$(KCC) $(UCFLAGS) -MMD -MP -c -o $@ $<

$(U)/user/stage3/init.c.o: user/etc/motd

# the C preprocessor first: the list of system calls is C's too
$(U)/%.asm.o: %.asm kernel/include/lux/syscalls.def $(B)/flags | $$(@D)/
	$(call say,NASM,$<)
	$(Q)$(KCC) -E -P -x assembler-with-cpp -Ikernel/include \
		-DSTAGE=$(STAGE) $< -o $(@:.o=.i)
	$(Q)$(NASM) -f elf64 -Werror -o $@ $(@:.o=.i)

.SECONDARY: $(addprefix $(U)/,$(addsuffix .o,$(USER_CMDS) $(USER_TESTS))) \
	$(addprefix $(U)/,$(addsuffix .elf,$(USER_BIN) $(USER_TEST_BIN)))
-include $(addprefix $(U)/,$(addsuffix .d,$(USER_CMDS) $(USER_TESTS))) \
	$(ULIB_OBJECTS:.o=.d)

# ---- ISO for GRUB, BIOS and UEFI ----

ISO := $(B)/lux9.iso
iso: $(ISO)
$(ISO): $(KERNEL) $(BOOT_ARCHIVE) kernel/boot/grub.cfg $(B)/append.cfg tools/iso.py
	$(call say,ISO,$@)
	$(Q)rm -rf $(B)/iso && mkdir -p $(B)/iso/boot/grub
	$(Q)cp $(KERNEL) $(BOOT_ARCHIVE) $(B)/iso/boot/
	$(Q)cp kernel/boot/grub.cfg $(B)/append.cfg $(B)/iso/boot/grub/
	$(Q)UEFI=$(UEFI) $(PYTHON) tools/iso.py $@ $(B)/iso

# GRUB's variable with the kernel's command line
$(B)/append.cfg: FORCE | $$(@D)/
	$(call remember,set append=$(call quote,$(APPEND)))

# ---- run ----

CPUS ?= 1
MEM ?= 512
APPEND ?=
QEMU ?= qemu-system-x86_64
QEMU_FLAGS ?=

# SERVE=path or port: a socket of this host on which Lux9 serves its name space
# as 9P2000, by way of its second serial port; SHARE=dir: a directory of this
# host that Lux9 shows as /n/host.  tools/qemu.py checks them, and starts QEMU.
RUN_QEMU = $(Q)QEMU=$(call quote,$(QEMU)) CPUS=$(CPUS) MEM=$(MEM) UEFI=$(UEFI) \
	APPEND=$(call quote,$(APPEND)) SERVE=$(call quote,$(SERVE)) \
	SHARE=$(call quote,$(SHARE)) OVMF=$(call quote,$(OVMF)) \
	QEMU_FLAGS=$(call quote,$(QEMU_FLAGS)) $(PYTHON) tools/qemu.py $1 $2

qemu: $(ISO)
	$(call RUN_QEMU,terminal,$(ISO))

qemu-window: $(ISO)
	$(call RUN_QEMU,window,$(ISO))

qemu-direct: $(KERNEL) $(BOOT_ARCHIVE)
	$(call RUN_QEMU,direct,$(KERNEL) $(BOOT_ARCHIVE))

# ---- tests and tools ----

# the first Python that has pytest; JOBS tests at a time if it has xdist
PYTEST = $(firstword $(foreach p,python3 /usr/bin/python3,$(shell \
	$p -c 'import pytest' 2>/dev/null && echo $p)) python3)
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
JOBS_FLAG = $(shell $(PYTEST) -c 'import xdist' 2>/dev/null && printf '%s %s' -n $(JOBS))

test:
	$(Q)$(PYTEST) -m pytest $(JOBS_FLAG) $(if $(T),-k $(call quote,$(T)))

check:
	$(Q)tools/check.sh

doctor:
	$(Q)python3 tools/doctor.py

gdb replay:
	$(Q)STAGE=$(STAGE) DEBUG=$(DEBUG) SAN=$(SAN) CC=$(CC) CPUS=$(CPUS) \
		MEM=$(MEM) APPEND=$(call quote,$(APPEND)) AT=$(call quote,$(AT)) \
		$(PYTHON) -m grade.run $@ $(if $(T),$(call quote,$(T))) $(GDBFLAGS)

# what to trace: one program with its words
RUN ?= forkbomb 6
trace:
	$(Q)STAGE=$(STAGE) DEBUG=$(DEBUG) SAN=$(SAN) CC=$(CC) \
		CPUS=$(if $(filter file,$(origin CPUS)),2,$(CPUS)) MEM=$(MEM) \
		APPEND=$(call quote,$(APPEND)) $(PYTHON) -m grade.run $@ $(call quote,$(RUN))

.PHONY: test check doctor gdb replay trace

bench:
	$(Q)$(PYTHON) tools/bench.py
.PHONY: bench

# The book's tools are installed when it is asked for, unless MKDOCS names
# another MkDocs than the system's.  MkDocs puts a fresh date into its site
# map unless it is told one.
MKDOCS ?= mkdocs
book:
	$(Q)$(if $(filter mkdocs,$(MKDOCS)),tools/install.sh book)
	$(Q)SOURCE_DATE_EPOCH=0 $(MKDOCS) build --quiet --strict
	$(call say,HTML,build/book/index.html)
# docs/figures/*.svg from the Python beside them
figures:
	$(Q)$(PYTHON) tools/figure.py
.PHONY: book figures

# What compiles on the host is tested there too, under ASan and UBSan.  The
# head of each test names the sources it needs.
HOST_CC ?= cc
HOST_FLAGS := -std=gnu2x -O1 -g $(WARN) -fno-builtin -fno-sanitize-recover=all \
	-fsanitize=address,undefined -Igrade/host -Iuser -Ikernel -Ikernel/include \
	$(TODO_CFLAGS)
HOST_TESTS := $(patsubst grade/host/%.c,build/host/%,$(wildcard grade/host/test_*.c))
host_sources = $(shell sed -n '/\*\//q; s/^ \* sources: //p' $1)

.PHONY: host-tests host-programs
host-programs: $(HOST_TESTS)
host-tests: $(HOST_TESTS)
	$(Q)for t in $^; do echo "  RUN   $$t"; $$t || exit 1; done

build/host/%: grade/host/%.c grade/host/host.c $$(call host_sources,grade/host/$$*.c) \
		$(wildcard grade/host/*.h user/lib/*.h) kernel/boot/format.h | $$(@D)/
	$(call say,HOST,$@)
	$(Q)$(HOST_CC) $(HOST_FLAGS) -r -o $@.o $(filter grade/%.c,$^)
	$(Q)$(HOST_CC) $(HOST_FLAGS) -include grade/host/rename.h -o $@ \
		$@.o $(filter-out grade/%,$(filter %.c,$^))

# File servers as programs of the host: no sources of the library but lib9p
# and what it needs; memory and descriptors are the host's.
HOST_SRV_LIB := $(filter-out %/process.c %/post.c,$(call sources,$(USER_LIB_9P))) \
	user/lib/args.c user/lib/print.c user/lib/float.c user/lib/errstr.c \
	user/lib/lock.c kernel/boot/format.c $(call sources,$(SHARED_4)) \
	grade/host/srv_env.c
HOST_SRV := $(addprefix build/host/,ramfs slow hostfs)
host-servers: $(HOST_SRV)
.PHONY: host-servers

build/host/ramfs: user/servers/ramfs.c
build/host/slow: grade/host/slow.c
build/host/hostfs: $(wildcard user/servers/hostfs/*.c)
$(HOST_SRV): $(HOST_SRV_LIB) $(wildcard user/lib/*.h user/lib/9p/*.h) | $$(@D)/
	$(call say,HOST,$@)
	$(Q)$(HOST_CC) $(HOST_FLAGS) -DSTAGE=4 -o $@ $(filter %.c,$^)

# RUNS inputs for the 9P codec, from those kept in grade/host/corpus.txt; what
# is new goes to build/fuzz/found
RUNS ?= 1000000
fuzz: build/host/fuzz_fcall
	@mkdir -p build/fuzz/found
	$(Q)$(PYTHON) grade/host/corpus.py unpack build/fuzz/kept
	$(Q)$< -runs=$(RUNS) -max_len=512 -print_final_stats=1 \
		-artifact_prefix=build/fuzz/ build/fuzz/found build/fuzz/kept
.PHONY: fuzz

build/host/fuzz_fcall: grade/host/fuzz_fcall.c \
		$(call host_sources,grade/host/fuzz_fcall.c) \
		$(wildcard kernel/9p/layout.h kernel/include/lux/*.h) | $$(@D)/
	$(call say,FUZZ,$@)
	$(Q)clang -std=gnu2x -O1 -g $(WARN) -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all -Ikernel -Ikernel/include $(TODO_CFLAGS) \
		-o $@ $(filter %.c,$^)

# ---- the course: handouts, and the check of the labs ----

# the next hint for a step; N=2: that one
hint:
	$(Q)$(PYTHON) tools/hint.py $(call quote,$(STEP)) $(N)
.PHONY: hint

# points for this tree, or for SUBMISSION=archive, folder or git revision
GRADE = $(Q)PYTHONPATH=$(call quote,$(CURDIR)) $(PYTHON) -m grade.course
grade:
	$(GRADE) grade $(LAB) submission=$(call quote,$(SUBMISSION)) out=$(call \
		quote,$(OUT)) only=$(call quote,$(T)) jobs=$(JOBS)

# the reports of OUT once more: the same bytes?
regrade:
	$(GRADE) regrade $(call quote,$(OUT)) jobs=$(JOBS)

class:
	$(GRADE) class $(LAB) $(call quote,$(DIR)) $(call quote,$(OUT)) \
		roster=$(call quote,$(ROSTER)) jobs=$(JOBS) cluster=$(CLUSTER)

# the files to hand in, as an archive
handin:
	$(GRADE) pack $(LAB) out=$(call quote,$(OUT))
.PHONY: grade regrade class handin

-include tools/course/course.mk

# ---- clean ----

clean:
	rm -rf build
