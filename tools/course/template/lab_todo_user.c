/*
 * lab_todo_user.c - says that a step in a program, or in its library, is not
 * written yet, and ends the program.
 *
 * People read it on the console and as what wait returns; the grader gets it
 * as a record.
 */
#include "lib/lux.h"

void
lab_todo_at(const char *step, const char *file, const char *function)
{
    const char *text = lab_todo_text(step, file, function);

    record(text, strlen(text));
    cons_write(text, strlen(text));
    cons_write("\n", 1);
    _exits(text);
}
