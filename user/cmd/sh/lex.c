/*
 * lex.c - the text of commands cut into tokens.  A word is one token with
 * everything in it as written: quotes and $ mean something only to
* expand.c; here it matters that they hide blanks and `;`.
 */
#include "cmd/sh/sh.h"

/* Behind the quote that fits the one before p, or NULL. */
static const char *
skip_quotes(const char *p, char quote)
{
    for (; *p != '\0'; p++) {
        if (*p == '\\' && quote == '"' && p[1] != '\0')
            p++;
        else if (quote == '"' && p[0] == '$' && p[1] == '(') {
            p = skip_parens(p + 2);
            if (p == NULL)
                return NULL;
            p--;
        } else if (*p == quote && quote == '\'' && p[1] == quote)
            p++; /* '' is one quote */
        else if (*p == quote)
            return p + 1;
    }
    return NULL;
}

/* Brackets in quotes in brackets: no text may take us deeper than our stack. */
static int nested;

enum {
    MAX_NESTED = 100
};

/* skip_parens without the limit. */
static const char *
skip_nested(const char *p)
{
    while (p != NULL && *p != '\0' && *p != ')') {
        if (*p == '\\' && p[1] != '\0')
            p += 2;
        else if (*p == '\'' || *p == '"')
            p = skip_quotes(p + 1, *p);
        else if (*p == '(')
            p = skip_parens(p + 1);
        else
            p++;
    }
    return p != NULL && *p == ')' ? p + 1 : NULL;
}

const char *
skip_parens(const char *p)
{
    if (nested == MAX_NESTED)
        return NULL;
    nested++;
    p = skip_nested(p);
    nested--;
    return p;
}

/* Behind a backslash at p and what it hides; NULL: the text ends there. */
static const char *
skip_escaped(const char *p)
{
    bool end = p[1] == '\0' || (p[1] == '\n' && p[2] == '\0');

    return end ? NULL : p + 2;
}

/* Behind the word that starts at p, or NULL: something in it is open. */
static const char *
skip_word(const char *p)
{
    while (p != NULL && *p != '\0' && strchr(" \t\r\n;&|<>()", *p) == NULL) {
        if (p[0] == '\\')
            p = skip_escaped(p);
        else if (*p == '\'' || *p == '"')
            p = skip_quotes(p + 1, *p);
        else if (p[0] == '$' && p[1] == '(')
            p = skip_parens(p + 2);
        else
            p++;
    }
    return p;
}

/* Step over blanks, comments and lines continued with a backslash. */
static const char *
skip_blanks(const char *p)
{
    for (;; p++) {
        if (p[0] == '\\' && p[1] == '\n')
            p++;
        else if (*p == '#')
            p += strcspn(p, "\n") - 1;
        else if (*p != ' ' && *p != '\t' && *p != '\r')
            return p;
    }
}

/* An operator at p: its length, and what it is; 0: none. */
static size_t
operator_at(const char *p, enum token *token)
{
    static const struct {
        const char *text;
        enum token token;
    } operators[] = {
        { "&&", TOK_AND },
        { "||", TOK_OR },
        { ">>", TOK_APPEND },
        { ">&", TOK_DUP },
        { "<&", TOK_DUP },
        { "\n", TOK_NEWLINE },
        { ";", TOK_SEMI },
        { "&", TOK_BACK },
        { "|", TOK_PIPE },
        { "(", TOK_OPEN },
        { ")", TOK_CLOSE },
        { "<", TOK_IN },
        { ">", TOK_OUT },
    };

    for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
        size_t n = strlen(operators[i].text);

        if (strncmp(p, operators[i].text, n) == 0) {
            *token = operators[i].token;
            return n;
        }
    }
    return 0;
}

void
lex_next(struct lexer *l)
{
    const char *p = skip_blanks(l->at);
    const char *end = p;
    size_t n;

    l->start = p;
    l->fd = -1;
    if (isdigit(*p) && (p[1] == '<' || p[1] == '>'))
        l->fd = *p++ - '0';
    n = operator_at(p, &l->token);
    if (*p == '\0' && p - l->at >= 2 && p[-1] == '\n')
        l->token = TOK_MORE; /* only a backslash lets blanks end so */
    else if (*p == '\0')
        l->token = TOK_END;
    else if (n > 0)
        end = p + n;
    else {
        end = skip_word(p);
        l->token = end != NULL ? TOK_WORD : TOK_MORE;
    }
    if (l->token == TOK_MORE)
        end = p + strlen(p);
    l->at = end;
}
