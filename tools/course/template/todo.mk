# todo.mk - lab_todo, for the steps that are not written yet.
TODO_SOURCES := $(addprefix labs/todo/,lab_todo.c lab_todo_text.c)
TODO_USER_SOURCES := $(addprefix labs/todo/,lab_todo_user.c lab_todo_text.c)
TODO_CFLAGS := -include labs/todo/lab_todo.h '-DLAB_FOLDERS=@C_FOLDERS@'
TODO_NASMFLAGS := -P labs/todo/lab_todo.inc
