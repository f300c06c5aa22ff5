#include "io/store/sqlite/place.h"

#include "io/store/sqlite/column.h"
#include "io/store/sqlite/schema.h"

static int write_place(sqlite3_stmt *insert, sqlite3_stmt *delete, const struct place *place)
{
    sqlite3_stmt *statement = place->gone ? delete : insert;
    int result = column_bind_text(statement, 1, place->account_key);

    if (result == SQLITE_OK)
        result = column_bind_text(statement, 2, place->text);
    if (result == SQLITE_OK && !place->gone)
        result = sqlite3_bind_int64(statement, 3, place->abandoned_at);
    if (result == SQLITE_OK && !place->gone)
        result = sqlite3_bind_int64(statement, 4, (sqlite3_int64)place->cycle);
    if (result == SQLITE_OK)
        result = sqlite3_step(statement);
    (void)sqlite3_reset(statement);
    return result == SQLITE_DONE ? SQLITE_OK : result;
}

int store_places_write(sqlite3 *db, const struct place *places, size_t count)
{
    sqlite3_stmt *insert = NULL, *delete = NULL;
    int result =
        sqlite3_prepare_v2(db,
                           "INSERT OR REPLACE INTO places"
                           " (account, place, abandoned_at, cycle) VALUES (?1, ?2, ?3, ?4)",
                           -1, &insert, NULL);

    if (result == SQLITE_OK)
        result = sqlite3_prepare_v2(db, "DELETE FROM places WHERE account = ?1 AND place = ?2", -1,
                                    &delete, NULL);
    for (size_t i = 0; result == SQLITE_OK && i < count; i++)
        result = write_place(insert, delete, &places[i]);
    (void)sqlite3_finalize(insert);
    (void)sqlite3_finalize(delete);
    return result;
}

int store_places_read_all(sqlite3 *db, void (*found)(void *context, const struct place *place),
                          void *context, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(db,
                                    "SELECT account, place, abandoned_at, cycle FROM places"
                                    " ORDER BY account, place",
                                    -1, &statement, NULL);

    while (result == SQLITE_OK || result == SQLITE_ROW) {
        result = sqlite3_step(statement);
        if (result != SQLITE_ROW)
            break;
        found(context, &(struct place){
                           .account_key = (const char *)sqlite3_column_text(statement, 0),
                           .text = (const char *)sqlite3_column_text(statement, 1),
                           .abandoned_at = sqlite3_column_int64(statement, 2),
                           .cycle = (uint64_t)sqlite3_column_int64(statement, 3),
                       });
    }
    (void)sqlite3_finalize(statement);
    return result == SQLITE_DONE ? 0 : store_sqlite_err(db, err, "reading the table places");
}
