# course.mk - what an instructor makes of the tree; not in handouts.

COURSE_PYTHON = $(Q)PYTHONPATH=$(CURDIR) $(PYTHON) -m

handout:
	$(COURSE_PYTHON) tools.course.handout $(LAB) $(OUT) $(TRACK)

course:
	$(COURSE_PYTHON) tools.course.course $(OUT) solutions=$(SOLUTIONS) from=$(FROM)

labcheck:
	$(COURSE_PYTHON) tools.course.labcheck $(LAB) $(if $(STEP),step=$(STEP)) \
		$(if $(MUTANT),mutant=$(MUTANT)) jobs=$(JOBS)

.PHONY: handout course labcheck
