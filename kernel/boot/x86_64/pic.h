/*
 * pic.h - the old interrupt controllers; for this folder only.
 */
#pragma once

/* Move both out of the exceptions' way and mask every line. */
void pic_disable(void);
