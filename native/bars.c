/* Arrays of bars to columns, in one pass: [{"i":0,"v":[time,open,high,low,close,volume]},...]. */
#include "native.h"

#include <math.h>

#include "number.h"

#define COLUMNS 7 /* index, time, open, high, low, close, volume */
#define MISSING 1e100
#define LATEST 1e13

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
static inline bool read_bar(Cursor *at, char *columns, Py_ssize_t rows, Py_ssize_t row) {
    int64_t *whole = (int64_t *)columns + row;
    double *real = (double *)columns + row;
    double value;
    if (!SKIP(at, "{\"i\":") || read_number(at, &value) != WHOLE || !(-EXACT < value && value < EXACT))
        return false;
    whole[0] = (int64_t)value;
    if (!SKIP(at, ",\"v\":[") || !read_number(at, &value) || !(-LATEST <= value && value <= LATEST))
        return false;
    whole[rows] = (int64_t)floor(value);
    int column = 2;
    for (; *at->at == ','; column++) {
        at->at++;
        if (!read_value(at, &value))
            return false;
        if (column < COLUMNS)
            real[column * rows] = value;
    }
    for (; column < COLUMNS; column++)
        real[column * rows] = Py_NAN;
    return SKIP(at, "]}");
}

/* Return how many bars there can be at most: every one has a closing brace. */
static Py_ssize_t count_bars(const char *at, const char *end) {
    Py_ssize_t count = 0;
    for (; at < end; at++)
        count += *at == '}';
    return count;
}

PyObject *native_bars(PyObject *module, PyObject *args) {
    PyObject *payload;
    Py_ssize_t start;
    if (!PyArg_ParseTuple(args, "Sn:bars", &payload, &start))
        return NULL;
    const char *text = PyBytes_AS_STRING(payload), *end = text + PyBytes_GET_SIZE(payload);
    if (start < 0 || start >= end - text || text[start] != '[')
        Py_RETURN_NONE;
    Cursor at = {text + start + 1, end};
    Py_ssize_t most = count_bars(at.at, end), rows = 0;
    if (most > PY_SSIZE_T_MAX / (COLUMNS * 8))
        return PyErr_NoMemory();
    PyObject *columns = PyByteArray_FromStringAndSize(NULL, most * COLUMNS * 8);
    if (columns == NULL)
        return NULL;
    char *into = PyByteArray_AS_STRING(columns);
    for (;;) {
        if (rows == most || !read_bar(&at, into, most, rows))
            goto irregular;
        rows++;
        if (*at.at == ']')
            break;
        if (*at.at++ != ',')
            goto irregular;
    }
    return Py_BuildValue("(Nnnn)", columns, rows, most, (Py_ssize_t)(at.at + 1 - text));
irregular:
    Py_DECREF(columns);
    Py_RETURN_NONE;
}
