/*
 * parse.c - a tree for each command line, by one function for each rule:
 *
 *      list     = and_or { (";" | "&" | newline) and_or }
 *      and_or   = pipeline { ("&&" | "||") pipeline }
 *      pipeline = ["!"] command { "|" command }
 *      command  = (simple | "{" list "}" | "(" list ")" | if | while | for)
 *                 { redirection }
 *      if       = "if" list "then" list { "elif" list "then" list }
 *                 ["else" list] "fi"
 *      while    = ("while" | "until") list "do" list "done"
 *      for      = "for" name ["in" { word }] (";" | newline) "do" list "done"
 *
 * Words that begin or end a rule are special only where a command may start.
 * At the first mistake `failed` is set, and every rule returns at once.
 */
#include "cmd/sh/sh.h"

static struct lexer lex;
static enum parsed failed;
static int depth;

enum { /* the stack has a limit: of commands in commands, and in a row */
    MAX_DEPTH = 100,
    MAX_ROW = 200
};

static struct node *parse_list(void);
static struct node *parse_command(void);

/* The text does not fit here: more of it may help, or nothing does. */
static struct node *
wrong(const char *wanted)
{
    if (failed != PARSE_OK)
        return NULL;
    failed = PARSE_ERROR;
    if (lex.token == TOK_MORE || lex.token == TOK_END)
        failed = PARSE_MORE;
    else if (lex.token == TOK_NEWLINE)
        fprint(2, "sh: %s is missing at the end of the line\n", wanted);
    else
        fprint(2, "sh: %s is missing before `%.*s'\n", wanted,
                (int)(lex.at - lex.start), lex.start);
    return NULL;
}

/* Too much of something: no more text will help. */
static struct node *
too_many(const char *what)
{
    if (failed == PARSE_OK)
        fprint(2, "sh: too many %s\n", what);
    failed = PARSE_ERROR;
    return NULL;
}

static struct node *
node_new(enum node_kind kind, struct node *left, struct node *right)
{
    struct node *n = mem_alloc(sizeof(*n));

    n->kind = kind;
    n->left = left;
    n->right = right;
    return n;
}

/* Is the token this word, unquoted? */
static bool
at_word(const char *word)
{
    size_t n = (size_t)(lex.at - lex.start);

    return lex.token == TOK_WORD && n == strlen(word) &&
           strncmp(lex.start, word, n) == 0;
}

/* Take the token if it is this word. */
static bool
take_word(const char *word)
{
    if (failed != PARSE_OK || !at_word(word))
        return false;
    lex_next(&lex);
    return true;
}

/* Take the token, which must be this word. */
static void
want_word(const char *word)
{
    if (!take_word(word))
        wrong(word);
}

static void
skip_newlines(void)
{
    while (lex.token == TOK_NEWLINE)
        lex_next(&lex);
}

/* Does this word end a list in which it stands? */
static bool
at_list_end(void)
{
    static const char *const ends[] = { "then", "elif", "else", "fi", "do",
        "done", "}" };

    if (lex.token == TOK_CLOSE || lex.token == TOK_END || lex.token == TOK_MORE)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        if (at_word(ends[i]))
            return true;
    return false;
}

/* ---- what a command is made of ---- */

/* Append the word at hand to a list that ends at *end. */
static struct word **
add_word(struct word **end)
{
    struct word *w = mem_alloc(sizeof(*w));

    w->text = mem_copy(lex.start, (size_t)(lex.at - lex.start));
    *end = w;
    lex_next(&lex);
    return &w->next;
}

static bool
at_redir(void)
{
    return lex.token >= TOK_IN && lex.token <= TOK_DUP;
}

/* One redirection; 0 is the descriptor of `<`, 1 that of the others. */
static struct redir **
add_redir(struct redir **end)
{
    struct redir *r = mem_alloc(sizeof(*r));
    bool in = lex.at[-1] == '<' || (lex.at[-1] == '&' && lex.at[-2] == '<');

    r->kind = lex.token;
    r->fd = lex.fd >= 0 ? lex.fd : !in;
    lex_next(&lex);
    if (lex.token != TOK_WORD) {
        wrong("a file name");
        return end;
    }
    r->target = mem_copy(lex.start, (size_t)(lex.at - lex.start));
    *end = r;
    lex_next(&lex);
    return &r->next;
}

static struct node *
parse_simple(void)
{
    struct node *n = node_new(NODE_SIMPLE, NULL, NULL);
    struct word **words = &n->words;
    struct redir **redirs = &n->redirs;

    if (lex.token != TOK_WORD && !at_redir())
        return wrong("a command");
    while (failed == PARSE_OK)
        if (lex.token == TOK_WORD)
            words = add_word(words);
        else if (at_redir())
            redirs = add_redir(redirs);
        else if (lex.token == TOK_MORE)
            return wrong("a quote");
        else
            break;
    return n;
}

/* A list that must hold a command. */
static struct node *
parse_body(void)
{
    struct node *n = parse_list();

    return n != NULL || failed != PARSE_OK ? n : wrong("a command");
}

/* What follows `if` or `elif`. */
static struct node *
parse_if(void)
{
    struct node *n = node_new(NODE_IF, parse_body(), NULL);

    want_word("then");
    if (failed == PARSE_OK)
        n->right = parse_body();
    if (take_word("elif"))
        n->other = parse_if(); /* takes our `fi`, too */
    else {
        if (take_word("else"))
            n->other = parse_body();
        want_word("fi");
    }
    return n;
}

/* What a loop repeats. */
static struct node *
parse_do(void)
{
    struct node *body = NULL;

    want_word("do");
    if (failed == PARSE_OK)
        body = parse_body();
    want_word("done");
    return body;
}

static struct node *
parse_while(bool until)
{
    struct node *n = node_new(NODE_WHILE, parse_body(), NULL);

    n->until = until;
    n->right = parse_do();
    return n;
}

static struct node *
parse_for(void)
{
    struct node *n = node_new(NODE_FOR, NULL, NULL);
    size_t len = (size_t)(lex.at - lex.start);
    struct word **words = &n->words;

    if (lex.token != TOK_WORD || !var_name_ok(lex.start, len))
        return wrong("a name");
    n->name = mem_copy(lex.start, len);
    lex_next(&lex);
    n->args = !take_word("in");
    while (!n->args && lex.token == TOK_WORD)
        words = add_word(words);
    if (lex.token == TOK_SEMI)
        lex_next(&lex);
    skip_newlines();
    n->right = parse_do();
    return n;
}

/* A command that is more than words, or NULL if there is none here. */
static struct node *
parse_compound(void)
{
    struct node *n = NULL;

    if (lex.token == TOK_OPEN) {
        lex_next(&lex);
        n = node_new(NODE_SUB, parse_body(), NULL);
        if (lex.token != TOK_CLOSE)
            return wrong(")");
        lex_next(&lex);
    } else if (take_word("{")) {
        n = node_new(NODE_GROUP, parse_body(), NULL);
        want_word("}");
    } else if (take_word("if"))
        n = parse_if();
    else if (take_word("while"))
        n = parse_while(false);
    else if (take_word("until"))
        n = parse_while(true);
    else if (take_word("for"))
        n = parse_for();
    return n;
}

static struct node *
parse_command(void)
{
    struct redir **redirs;
    struct node *n;

    if (++depth > MAX_DEPTH)
        return too_many("commands in commands");
    n = parse_compound();
    if (n != NULL && failed == PARSE_OK)
        for (redirs = &n->redirs; failed == PARSE_OK && at_redir();)
            redirs = add_redir(redirs);
    else if (failed == PARSE_OK)
        n = at_list_end() ? wrong("a command") : parse_simple();
    depth--;
    return n;
}

/* ---- commands put together ---- */

static struct node *
parse_pipeline(void)
{
    bool not = take_word("!");
    struct node *n = parse_command();
    int stages = 1;

    while (failed == PARSE_OK && lex.token == TOK_PIPE) {
        lex_next(&lex);
        skip_newlines();
        n = node_new(NODE_PIPE, n, parse_command());
        if (++stages > MAX_STAGES)
            return too_many("stages of a pipe");
    }
    return not ? node_new(NODE_NOT, n, NULL) : n;
}

static struct node *
parse_and_or(void)
{
    struct node *n = parse_pipeline();
    int row = 0;

    while (failed == PARSE_OK &&
            (lex.token == TOK_AND || lex.token == TOK_OR)) {
        enum node_kind kind = lex.token == TOK_AND ? NODE_AND : NODE_OR;

        lex_next(&lex);
        skip_newlines();
        n = node_new(kind, n, parse_pipeline());
        if (++row > MAX_ROW)
            return too_many("&& and ||");
    }
    return n;
}

/* One and_or with the `&` or `;` behind it, and *more: another may follow on
 * the same line. */
static struct node *
parse_item(bool *more)
{
    const char *start = lex.start, *before;
    struct node *n = parse_and_or();

    *more = false;
    if (failed != PARSE_OK)
        return n;
    for (before = lex.start; before > start && isspace(before[-1]);)
        before--;
    if (lex.token == TOK_BACK) {
        n = node_new(NODE_BACK, n, NULL);
        n->name = mem_copy(start, (size_t)(before - start));
    }
    if (lex.token == TOK_BACK || lex.token == TOK_SEMI) {
        *more = true;
        lex_next(&lex);
    }
    return n;
}

/* Append an item at **end, the last of a list; the new last place. */
static struct node **
add_item(struct node **end, struct node *n)
{
    if (*end == NULL) {
        *end = n;
        return end;
    }
    *end = node_new(NODE_SEQ, *end, n);
    return &(*end)->right;
}

/* Items up to what ends the rule that we are in. */
static struct node *
parse_list(void)
{
    struct node *list = NULL, **end = &list;
    bool more = true;

    skip_newlines();
    while (failed == PARSE_OK && more && !at_list_end()) {
        end = add_item(end, parse_item(&more));
        more |= lex.token == TOK_NEWLINE;
        skip_newlines();
    }
    if (lex.token == TOK_END || lex.token == TOK_MORE)
        return wrong("an end");
    return list;
}

enum parsed
parse_line(const char **text, struct node **tree)
{
    struct node **end = tree;
    bool more = true;

    lex.at = *text;
    failed = PARSE_OK;
    depth = 0;
    *tree = NULL;
    lex_next(&lex);
    while (failed == PARSE_OK && more && lex.token != TOK_NEWLINE &&
            lex.token != TOK_END)
        end = add_item(end, parse_item(&more));
    if (failed == PARSE_OK && lex.token != TOK_NEWLINE && lex.token != TOK_END)
        wrong("; or an end of line");
    *text = lex.at;
    return failed;
}
