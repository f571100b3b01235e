# variables.mk - the variables that a person may set, each checked once.
#
# A value is any bytes but a newline: it is taken as it is ($ too), and recipes
# give it to the shell by $(call quote,...).  A mistake is one line that says
# what is allowed.  All of it is make's own work, so that `make` stays quick.

# the value of a variable that make or its caller was given, without surprises
given = $(filter command environment,$(origin $1))
free := OUT DIR SUBMISSION ROSTER T AT RUN APPEND SERVE SHARE STEP MUTANT GDBFLAGS
words := STAGE DEBUG KTEST SAN UEFI CC CPUS MEM JOBS RUNS LAB N SAME SOLUTIONS FROM TRACK CLUSTER

# in single quotes for a shell, whatever it contains
quote = '$(subst ','\'',$1)'

# $(call digits,word): what is left of a word without its digits
digits = $(subst 0,,$(subst 1,,$(subst 2,,$(subst 3,,$(subst 4,,$(call \
	digits5,$1))))))
digits5 = $(subst 5,,$(subst 6,,$(subst 7,,$(subst 8,,$(subst 9,,$1)))))
is_number = $(if $1,$(if $(call digits,$1),,$(filter-out 0,$1)))

# A row for each variable: what is allowed, in words, and the test that a value
# ($1, one word) has to pass.  An empty value is the default's.
switch = $(filter 0 1,$1)
says_switch := it is 1 or 0
ok_DEBUG = $(switch)
ok_KTEST = $(switch)
ok_UEFI = $(switch)
ok_SAME = $(switch)
ok_SOLUTIONS = $(switch)
$(foreach v,DEBUG KTEST UEFI SAME SOLUTIONS,$(eval says_$v := $(says_switch)))
ok_STAGE = $(filter $(present),$1)
says_STAGE = this tree has the stages $(strip $(present))
ok_SAN = $(filter ubsan kasan,$1)
says_SAN := it is ubsan or kasan
# by its name: gcc, gcc-12, clang, clang-14
ok_CC = $(or $(filter gcc clang,$1),$(call is_number,$(patsubst gcc-%,%,$(filter \
	gcc-%,$1))),$(call is_number,$(patsubst clang-%,%,$(filter clang-%,$1))))
says_CC := it is gcc, clang, or one of a version as gcc-12
ok_CPUS = $(filter 1 2 3 4 5 6 7 8,$1)
says_CPUS := it is a number from 1 to 8
ok_MEM = $(call is_number,$(patsubst %G,%,$(patsubst %M,%,$1)))
says_MEM := it is a number of MiB, or as 2G
says_number := it is a number from 1
$(foreach v,JOBS RUNS LAB N FROM,$(eval ok_$v = $$(is_number))$(eval \
	says_$v := $(says_number)))
ok_TRACK = $(filter fresh carry solution,$1)
says_TRACK := it is fresh, carry or solution
ok_CLUSTER = $(filter slurm,$1)
says_CLUSTER := it is slurm

# Some have a compiler of theirs in the environment: it is no choice of ours.
ifneq ($(filter default environment,$(origin CC)),)
override CC := $(call ok_CC,$(CC))
endif

$(foreach v,$(free) $(words),$(if $(call given,$v),$(eval override $v := $$(value $v))))

one_word = $(if $(filter 1,$(words $1)),$1)
check = $(if $(strip $($1)),$(if $(and $(call one_word,$($1)),$(call \
	ok_$1,$(strip $($1)))),,$(error $1: not a value for it ($($1)); $(says_$1))))
$(foreach v,$(words),$(call check,$v))

# 0 is off
$(foreach v,DEBUG KTEST UEFI SAME SOLUTIONS,$(if $(filter 0,$($v)),$(eval \
	override $v :=)))

# goals that need one
needs_LAB := grade class handin handout synthetic
needs_OUT := regrade class handout course synthetic
needs_DIR := class
needs_STEP := hint
$(foreach v,LAB OUT DIR STEP,$(foreach g,$(filter $(needs_$v),$(MAKECMDGOALS)),$(if \
	$($v),,$(error make $g: $v is missing; make $g $v=...))))
