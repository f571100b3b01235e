# course.mk - what an instructor makes of the tree; not in handouts.

COURSE_PYTHON = $(Q)PYTHONPATH=$(call quote,$(CURDIR)) $(PYTHON) -m

handout:
	$(COURSE_PYTHON) tools.course.handout $(LAB) $(call quote,$(OUT)) $(TRACK)

course:
	$(COURSE_PYTHON) tools.course.course $(call quote,$(OUT)) solutions=$(SOLUTIONS) from=$(FROM)

labcheck:
	$(COURSE_PYTHON) tools.course.labcheck $(LAB) $(if $(STEP),step=$(call quote,$(STEP))) \
		$(if $(MUTANT),mutant=$(call quote,$(MUTANT))) jobs=$(JOBS)

# a made-up class to try the grader on; N students, SAME=1: with equal files
synthetic:
	$(COURSE_PYTHON) tools.course.synthetic $(LAB) $(call quote,$(OUT)) $(or $(N),300) $(if $(SAME),same)

.PHONY: handout course labcheck synthetic
