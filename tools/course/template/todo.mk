# todo.mk - lab_todo, for the steps that are not written yet.
TODO_SOURCES := labs/todo/lab_todo.c
TODO_USER_SOURCES := labs/todo/lab_todo_user.c
TODO_CFLAGS := -include labs/todo/lab_todo.h '-DLAB_FOLDERS=@C_FOLDERS@'
TODO_NASMFLAGS := -P labs/todo/lab_todo.inc
