/* Arrays of bars to columns, in one pass: [{"i":0,"v":[time,open,high,low,close,volume]},...]. */
#include "native.h"

#include <math.h>

#include "number.h"

#define COLUMNS 6 /* time, open, high, low, close, volume */
#define MISSING 1e100
#define LATEST 1e13

/* Columns of bars, one behind the other, each with the same room. */
typedef struct {
    PyObject *index;  /* bytearray of int64 */
    PyObject *table;  /* bytearray of int64 for the time, of doubles for the rest */
    Py_ssize_t room;
} Columns;

/* Read one value of a bar: a number or null. */
static inline bool read_value(Cursor *at, double *value) {
    if (*at->at == 'n') {
        *value = Py_NAN;
        return SKIP(at, "null");
    }
    if (!read_number(at, value))
        return false;
    if (*value == MISSING)
        *value = Py_NAN;
    return true;
}

/* Read one bar into its place in every column; values that it lacks are NaN, those behind the volume are dropped. */
static inline bool read_bar(Cursor *at, int64_t *index, double *table, Py_ssize_t room) {
    double value;
    if (!SKIP(at, "{\"i\":") || read_number(at, &value) != WHOLE || !(-EXACT < value && value < EXACT))
        return false;
    *index = (int64_t)value;
    if (!SKIP(at, ",\"v\":[") || !read_number(at, &value) || !(-LATEST <= value && value <= LATEST))
        return false;
    int64_t time = (int64_t)floor(value);
    memcpy(table, &time, sizeof(time));
    int column = 1;
    for (; *at->at == ','; column++) {
        at->at++;
        if (!read_value(at, &value))
            return false;
        if (column < COLUMNS)
            table[column * room] = value;
    }
    for (; column < COLUMNS; column++)
        table[column * room] = Py_NAN;
    return SKIP(at, "]}");
}

/* Count in steps whose sum fits a byte: compilers make vectors of bytes of that, five times as fast. */
static Py_ssize_t count_braces(const char *at, const char *end) {
    Py_ssize_t count = 0;
    while (at < end) {
        const char *stop = end - at > 255 ? at + 255 : end;
        unsigned char some = 0;
        for (; at < stop; at++)
            some += *at == '}';
        count += some;
    }
    return count;
}

/* Read the array of bars whose bracket is here, up to its last one; -1 where it is irregular, -2 with an error. */
static Py_ssize_t read_bars(Cursor *at, Columns *columns) {
    /* every bar has a brace, and none has an s; keys that follow do, so a packet of many arrays is gone over once */
    const char *letter = memchr(at->at, 's', at->end - at->at);
    Py_ssize_t room = count_braces(at->at, letter != NULL ? letter : at->end), rows = 0;
    if (room > PY_SSIZE_T_MAX / (COLUMNS * 8)) {
        PyErr_NoMemory();
        return -2;
    }
    columns->room = room;
    columns->index = PyByteArray_FromStringAndSize(NULL, room * 8);
    columns->table = PyByteArray_FromStringAndSize(NULL, room * COLUMNS * 8);
    if (columns->index == NULL || columns->table == NULL)
        return -2;
    int64_t *index = (int64_t *)PyByteArray_AS_STRING(columns->index);
    double *table = (double *)PyByteArray_AS_STRING(columns->table);
    do {
        at->at++; /* the bracket, then each comma */
        if (rows == room || !read_bar(at, index + rows, table + rows, room))
            return -1;
        rows++;
    } while (*at->at == ',');
    return SKIP(at, "]") ? rows : -1;
}

/* Go to the bracket of the next array of bars. */
static bool find_bars(Cursor *at) {
    static const char before[] = "\"s\":", after[] = "[{";
    const char *first = at->at;
    while ((at->at = memchr(at->at, '[', at->end - at->at)) != NULL) {
        if (at->at - first >= 4 && at->end - at->at >= 2 && memcmp(at->at - 4, before, 4) == 0 &&
            memcmp(at->at, after, 2) == 0)
            return true;
        at->at++;
    }
    return false;
}

/* Read all arrays of bars of a payload. */
static PyObject *read_arrays(const char *payload, Py_ssize_t size) {
    Cursor at = {payload, payload + size};
    PyObject *arrays = PyList_New(0);
    while (arrays != NULL && find_bars(&at)) {
        Py_ssize_t start = at.at - payload;
        Columns columns = {NULL, NULL, 0};
        Py_ssize_t rows = read_bars(&at, &columns);
        PyObject *array = NULL;
        if (rows >= 0)
            array = Py_BuildValue("(nnOOnn)", start, (Py_ssize_t)(at.at - payload), columns.index, columns.table, rows,
                                  columns.room);
        Py_XDECREF(columns.index);
        Py_XDECREF(columns.table);
        if (rows == -1) {
            Py_DECREF(arrays);
            Py_RETURN_NONE;
        }
        if (array == NULL || PyList_Append(arrays, array) < 0)
            Py_CLEAR(arrays);
        Py_XDECREF(array);
    }
    return arrays;
}

PyObject *native_bars(PyObject *module, PyObject *payload) {
    if (PyBytes_Check(payload))
        return read_arrays(PyBytes_AS_STRING(payload), PyBytes_GET_SIZE(payload));
    if (PyMemoryView_Check(payload)) {
        Py_buffer view;
        if (PyObject_GetBuffer(payload, &view, PyBUF_SIMPLE) < 0)
            return NULL; /* released, for one: then its base may be gone as well */
        PyObject *holder = PyMemoryView_GET_BASE(payload), *arrays = NULL;
        /* only of bytes is the byte behind the end known to be there */
        bool is_bytes = holder != NULL && PyBytes_Check(holder);
        if (is_bytes)
            arrays = read_arrays(view.buf, view.len);
        PyBuffer_Release(&view);
        if (is_bytes)
            return arrays;
    }
    PyErr_SetString(PyExc_TypeError, "a payload has to be bytes, or a view of bytes");
    return NULL;
}
