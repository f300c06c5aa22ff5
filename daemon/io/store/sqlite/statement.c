#include "io/store/sqlite/sqlite_private.h"

int statement_prepare(sqlite3 *db, const char *text, sqlite3_stmt **ret_statement, struct err *err)
{
    if (sqlite3_prepare_v3(db, text, -1, SQLITE_PREPARE_PERSISTENT, ret_statement, NULL) !=
        SQLITE_OK)
        return store_sqlite_err(db, err, "preparing a statement");
    return 0;
}

void bind_start(struct binding *binding, sqlite3_stmt *statement)
{
    *binding = (struct binding){.statement = statement, .sqlite_rc = SQLITE_OK};
}

static void take(struct binding *binding, int sqlite_rc)
{
    if (binding->sqlite_rc == SQLITE_OK)
        binding->sqlite_rc = sqlite_rc;
}

void bind_text(struct binding *binding, const char *text)
{
    take(binding,
         sqlite3_bind_text(binding->statement, ++binding->count, text, -1, SQLITE_TRANSIENT));
}

void bind_number(struct binding *binding, int64_t number)
{
    take(binding, sqlite3_bind_int64(binding->statement, ++binding->count, number));
}

void bind_time(struct binding *binding, time_ms at)
{
    if (at == TIME_NEVER)
        bind_text(binding, NULL);
    else
        bind_number(binding, at);
}

void bind_bytes(struct binding *binding, const void *bytes, size_t length)
{
    take(binding, sqlite3_bind_blob(binding->statement, ++binding->count, bytes, (int)length,
                                    SQLITE_TRANSIENT));
}

void bind_members(struct binding *binding, const struct record_table *table, const void *row)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct record_member *member = &table->members[i];
        char text[MEMBER_TEXT_MAX];

        if (!member_is_number(member))
            bind_text(binding, member_text(member, row, text));
        else if (member->kind == MEMBER_TIME)
            bind_time(binding, member_number(member, row));
        else
            bind_number(binding, member_number(member, row));
    }
}

int statement_run(const struct binding *binding)
{
    int sqlite_rc = binding->sqlite_rc;

    if (sqlite_rc == SQLITE_OK)
        sqlite_rc = sqlite3_step(binding->statement);
    (void)sqlite3_reset(binding->statement);
    (void)sqlite3_clear_bindings(binding->statement);
    return sqlite_rc == SQLITE_DONE ? SQLITE_OK : sqlite_rc;
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
