/*
 * lab_todo_text.c - the words for a step that is not written yet, for kernel
 * and programs.  It relies on nothing that a step could be.
 */
#include <lux/types.h>

static const char *const folders[] = { LAB_FOLDERS };

static char text[320];
static unsigned length;

static void
add(const char *s)
{
    while (*s != '\0' && length < sizeof(text) - 1)
        text[length++] = *s++;
}

const char *
lab_todo_text(const char *step, const char *file, const char *function)
{
    unsigned lab = step[0] - '1';

    length = 0;
    add("step ");
    add(step);
    add(" is not written yet: ");
    add(file);
    add(":");
    add(function);
    add(", see labs/");
    add(folders[lab < ARRAY_LEN(folders) ? lab : 0]);
    text[length] = '\0';
    return text;
}
