#include "io/store/sqlite/place.h"

#include "io/store/sqlite/schema.h"
#include "io/store/sqlite/statement.h"

static int write_place(sqlite3_stmt *insert, sqlite3_stmt *delete, const struct place *place)
{
    struct binding binding;

    bind_start(&binding, place->gone ? delete : insert);
    bind_text(&binding, place->account_key);
    bind_text(&binding, place->text);
    if (!place->gone) {
        bind_number(&binding, place->abandoned_at);
        bind_number(&binding, (int64_t)place->cycle);
    }
    return statement_run(&binding);
}

int store_places_write(sqlite3 *db, const struct place *places, size_t count)
{
    sqlite3_stmt *insert = NULL, *delete = NULL;
    int sqlite_rc =
        sqlite3_prepare_v2(db,
                           "INSERT OR REPLACE INTO places"
                           " (account, place, abandoned_at, cycle) VALUES (?1, ?2, ?3, ?4)",
                           -1, &insert, NULL);

    if (sqlite_rc == SQLITE_OK)
        sqlite_rc = sqlite3_prepare_v2(db, "DELETE FROM places WHERE account = ?1 AND place = ?2",
                                       -1, &delete, NULL);
    for (size_t i = 0; sqlite_rc == SQLITE_OK && i < count; i++)
        sqlite_rc = write_place(insert, delete, &places[i]);
    (void)sqlite3_finalize(insert);
    (void)sqlite3_finalize(delete);
    return sqlite_rc;
}

int store_places_read_all(sqlite3 *db, void (*found)(void *context, const struct place *place),
                          void *context, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    int sqlite_rc = sqlite3_prepare_v2(db,
                                       "SELECT account, place, abandoned_at, cycle FROM places"
                                       " ORDER BY account, place",
                                       -1, &statement, NULL);

    while (sqlite_rc == SQLITE_OK || sqlite_rc == SQLITE_ROW) {
        sqlite_rc = sqlite3_step(statement);
        if (sqlite_rc != SQLITE_ROW)
            break;
        found(context, &(struct place){
                           .account_key = (const char *)sqlite3_column_text(statement, 0),
                           .text = (const char *)sqlite3_column_text(statement, 1),
                           .abandoned_at = sqlite3_column_int64(statement, 2),
                           .cycle = (uint64_t)sqlite3_column_int64(statement, 3),
                       });
    }
    (void)sqlite3_finalize(statement);
    return sqlite_rc == SQLITE_DONE ? 0 : store_sqlite_err(db, err, "reading the table places");
}
