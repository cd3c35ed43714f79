/* Names of sessions, series, symbols and fields, made once and found again by their bytes. */
#include "native.h"

#define LONGEST_TEXT 64

static inline uint64_t eight_bytes(const char *at) {
    uint64_t bytes;
    memcpy(&bytes, at, 8);
    return bytes;
}

/* Mix the first bytes, the last ones and the size: names differ there. */
static inline size_t place_of(Piece piece) {
    uint64_t first = 0, last = 0;
    if (piece.size >= 8) {
        first = eight_bytes(piece.start);
        last = eight_bytes(piece.start + piece.size - 8);
    } else {
        for (Py_ssize_t k = 0; k < piece.size; k++)
            first = first << 8 | (unsigned char)piece.start[k];
    }
    uint64_t mixed = (first ^ (last * 0x9e3779b97f4a7c15u) ^ (uint64_t)piece.size) * 0xff51afd7ed558ccdu;
    return (size_t)(mixed >> 32) % TEXTS;
}

static PyObject *new_text(Piece piece) {
    PyObject *text = PyUnicode_New(piece.size, 127);
    if (text != NULL && piece.size)
        memcpy(PyUnicode_1BYTE_DATA(text), piece.start, piece.size);
    return text;
}

PyObject *texts_get(Texts *texts, Piece piece) {
    if (piece.size > LONGEST_TEXT)
        return new_text(piece);
    PyObject **place = &texts->known[place_of(piece)], *text = *place;
    if (text == NULL || PyUnicode_GET_LENGTH(text) != piece.size ||
        memcmp(PyUnicode_1BYTE_DATA(text), piece.start, piece.size) != 0) {
        text = new_text(piece);
        if (text == NULL)
            return NULL;
        Py_XSETREF(*place, text);
    }
    Py_INCREF(text);
    return text;
}

void texts_clear(Texts *texts) {
    for (size_t k = 0; k < TEXTS; k++)
        Py_CLEAR(texts->known[k]);
}
