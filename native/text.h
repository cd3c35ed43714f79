/* Reading JSON as the service writes it: ASCII, compact, its keys in one order.
 *
 * What is written in any other way is no error: whoever asked leaves it to the reader of everything, which is msgspec.
 */
#ifndef TVWIRE_TEXT_H
#define TVWIRE_TEXT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Where a text is read, and where it ends. The byte at the end can be looked at and belongs to no number and no text:
 * it is the NUL behind a bytes object, or the first byte of a frame's header. That is what stops the loops over digits.
 */
typedef struct {
    const char *at;
    const char *end;
} Cursor;

/* A piece of a text that somebody else holds. */
typedef struct {
    const char *start;
    Py_ssize_t size;
} Piece;

/* Step over a literal if it stands here. */
#define SKIP(cursor, literal)                                                                                          \
    ((cursor)->end - (cursor)->at >= (Py_ssize_t)sizeof(literal) - 1 &&                                                \
     memcmp((cursor)->at, literal, sizeof(literal) - 1) == 0 && ((cursor)->at += sizeof(literal) - 1, true))

static inline bool is_digit(char c) { return (unsigned char)(c - '0') < 10; }

/* Read text up to its quote, which is stepped over; false where it has an escape, a control character or no quote. */
static inline bool read_text(Cursor *cursor, Piece *piece) {
    const char *p = cursor->at;
    while (p < cursor->end && *p != '"') {
        if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f || *p == '\\')
            return false;
        p++;
    }
    if (p >= cursor->end)
        return false;
    *piece = (Piece){cursor->at, p - cursor->at};
    cursor->at = p + 1;
    return true;
}

#endif
