/*
 * test_9p_walk.c - from a name to a file, with as few questions as possible.
 */
#include "9p_tree.h"

/* However many names there are, they are one question, up to 16. */
KTEST(walk_one_request)
{
    tree_begin();
    CHECK_EQ(tree_find("/a/b/c/f"), A_B_C_F);
    CHECK_EQ(tree_walks, 1);
    CHECK_EQ(tree_names, 4);
    CHECK_EQ(tree_find("x/y/h"), X_Y_H);
    CHECK_EQ(tree_walks, 2);
    CHECK_EQ(tree_find("/"), ROOT);
    CHECK_EQ(tree_walks, 2);
}

KTEST(walk_many_names)
{
    static const char deep[] = "/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d";

    tree_begin();
    CHECK_EQ(tree_find(deep), D_LAST);
    CHECK_EQ(tree_walks, 2);
    CHECK_EQ(tree_names, 20);
}

/* What is not there, at the first name, in the middle, at the last; below a
 * file. */
KTEST(walk_not_there)
{
    tree_begin();
    CHECK_EQ(tree_find("/nothing"), -E_NOEXIST);
    CHECK_EQ(tree_find("/nothing/b"), -E_NOEXIST);
    CHECK_EQ(tree_find("/a/nothing/c/f"), -E_NOEXIST);
    CHECK_EQ(tree_find("/a/b/c/nothing"), -E_NOEXIST);
    CHECK_EQ(tree_find("/a/g/b"), -E_NOTDIR);
    CHECK_EQ(tree_find(""), -E_NOEXIST);
}

/* `..` goes back the way that led here, and no further than the root. */
KTEST(walk_dotdot)
{
    tree_begin();
    CHECK_EQ(tree_find("/a/b/../g"), A_G);
    CHECK_EQ(tree_find("/a/b/c/../../g"), A_G);
    CHECK_EQ(tree_find("/a/.."), ROOT);
    CHECK_EQ(tree_find("/.."), ROOT);
    CHECK_EQ(tree_find("/../../a/../x/f"), X_F);
    CHECK_EQ(tree_find("a/../a/../a/b"), A_B);
}

/* Empty names and "." say nothing, but that it must be a directory. */
KTEST(walk_slashes_and_dots)
{
    tree_begin();
    CHECK_EQ(tree_find("//a///b"), A_B);
    CHECK_EQ(tree_find("/./a/././b/."), A_B);
    CHECK_EQ(tree_find("/a/b/"), A_B);
    CHECK_EQ(tree_find("."), ROOT);
    CHECK_EQ(tree_find("/a/g/"), -E_NOTDIR);
    CHECK_EQ(tree_find("/a/g/."), -E_NOTDIR);
    CHECK_EQ(tree_find("/a/g"), A_G);
}

/* The longest path, one byte more, and names that none has. */
KTEST(walk_long_names)
{
    static char path[MAX_PATH + 2];

    tree_begin();
    memset(path, '/', sizeof path);
    path[MAX_PATH - 1] = '\0';
    CHECK_EQ(tree_find(path), ROOT);
    path[MAX_PATH - 1] = '/';
    path[MAX_PATH] = '\0';
    CHECK_EQ(tree_find(path), -E_TOOBIG);
    CHECK_EQ(tree_find("a/b\xff/c"), -E_NAME);
    CHECK_EQ(tree_find("/\xc3(/.."), -E_NAME);
}

/* A channel remembers its way: for fd2path, and for `..` from there. */
KTEST(walk_remembers)
{
    char text[64];
    struct chan *c;

    tree_begin();
    CHECK_EQ(name_open("/a/b/../b/./c", NAME_DIR, 0, 0, &c), 0);
    CHECK_EQ(path_text(c->path, text, sizeof text), 6);
    CHECK(strcmp(text, "/a/b/c") == 0);
    chan_close(my_files()->dot);
    my_files()->dot = c;
    CHECK_EQ(tree_find("f"), A_B_C_F);
    CHECK_EQ(tree_find("../../g"), A_G);
    CHECK_EQ(tree_find("../../../../x"), X);
}

/* What was walked is closed, whether the walk succeeded or not. */
KTEST(walk_gives_back)
{
    tree_begin();
    for (int i = 0; i < 10; i++) {
        tree_find("/a/b/c/f");
        tree_find("/a/b/../../x/../a/g");
        tree_find("/a/b/nothing/f");
        tree_find("/a/g/f");
        tree_find("/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/nothing");
    }
    CHECK_EQ(tree_live, 1);
    CHECK_EQ(my_files()->root->ref, 2);
}
