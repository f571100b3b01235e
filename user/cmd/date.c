/*
 * date.c - print the date and the time of day.
 */
#include "lib/lux.h"

static const char usage[] = "usage: date [-n] [seconds]\n"
                            "Print the date and time (UTC), or those of so\n"
                            "many seconds after the start of 1970.\n"
                            "  -n  as such a number\n";

int
main(int argc, char **argv)
{
    char date[DATE_TEXT], *text;
    bool number = false;
    uint64_t seconds;

    ARGBEGIN
    {
    case 'n': number = true; break;
    default: ARGBAD();
    }
    ARGEND
    if (argc > 0)
        seconds = number_or_die(argv[0], usage);
    else {
        text = read_file("#c/time", NULL);
        if (text == NULL)
            fatal("the time: %r");
        seconds = strtoul(text, NULL, 10);
    }
    if (number)
        print("%lu\n", seconds);
    else
        print("%s\n", date_text(date, seconds));
    return 0;
}
