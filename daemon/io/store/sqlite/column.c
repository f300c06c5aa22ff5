#include "io/store/sqlite/column.h"

int column_bind_text(sqlite3_stmt *statement, int index, const char *text)
{
    if (!text)
        return sqlite3_bind_null(statement, index);
    return sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT);
}

int column_bind(sqlite3_stmt *statement, int index, const struct record_member *member,
                const void *row)
{
    char text[MEMBER_TEXT_MAX];
    int64_t number;

    if (!member_is_number(member))
        return column_bind_text(statement, index, member_text(member, row, text));
    number = member_number(member, row);
    if (member->kind == MEMBER_TIME && number == TIME_NEVER)
        return sqlite3_bind_null(statement, index);
    return sqlite3_bind_int64(statement, index, number);
}

bool column_read(sqlite3_stmt *statement, int index, const struct record_member *member, void *row)
{
    switch (sqlite3_column_type(statement, index)) {
    case SQLITE_NULL:
        return member->kind == MEMBER_TIME && member_set_number(member, row, TIME_NEVER);
    case SQLITE_INTEGER:
        return member_is_number(member) &&
               member_set_number(member, row, sqlite3_column_int64(statement, index));
    case SQLITE_TEXT:
        return !member_is_number(member) &&
               member_set_text(member, row, (const char *)sqlite3_column_text(statement, index));
    default:
        return false;
    }
}
