/* Changes of quotes as rows: the fields that many changes share are a form, each change has only its values.
 *
 * A dictionary for every change costs more than all of its numbers. Numbers stay plain doubles here until they are
 * put into the table of their session.
 */
#include "native.h"

#include <stddef.h>

struct FormObject {
    PyObject_HEAD
    uint64_t hash;
    Py_ssize_t count, numbers;
    PyObject *names;             /* tuple of str */
    unsigned char kinds[MOST_FIELDS]; /* whether each is a number */
    Piece pieces[MOST_FIELDS];   /* what the names hold */
};

typedef struct {
    PyObject_HEAD
    FormObject *form;
    double numbers[];            /* then an object for each of the other fields */
} RowObject;

#define OTHERS(row) ((PyObject **)((row)->numbers + (row)->form->numbers))

/* -- forms ---------------------------------------------------------------------------------------------------- */

/* Mix the sizes, last letters and kinds; what it finds is compared in full. */
static uint64_t hash_of(const Field *fields, Py_ssize_t count) {
    uint64_t hash = (uint64_t)count;
    for (Py_ssize_t k = 0; k < count; k++) {
        Piece name = fields[k].name;
        uint64_t word = (uint64_t)name.size << 9 | (fields[k].kind == NUMBER) << 8;
        word |= name.size ? (unsigned char)name.start[name.size - 1] : 0;
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
    }
    return hash;
}

static bool has_form(const FormObject *form, const Field *fields, Py_ssize_t count) {
    if (form->count != count)
        return false;
    for (Py_ssize_t k = 0; k < count; k++) {
        const Piece *name = &form->pieces[k];
        if (form->kinds[k] != (fields[k].kind == NUMBER) || name->size != fields[k].name.size ||
            memcmp(name->start, fields[k].name.start, name->size) != 0)
            return false;
    }
    return true;
}

static bool is_repeated(const Field *fields, Py_ssize_t count) {
    for (Py_ssize_t k = 1; k < count; k++)
        for (Py_ssize_t j = 0; j < k; j++)
            if (fields[k].name.size == fields[j].name.size &&
                memcmp(fields[k].name.start, fields[j].name.start, fields[k].name.size) == 0)
                return true;
    return false;
}

static FormObject *new_form(Texts *texts, const Field *fields, Py_ssize_t count, uint64_t hash) {
    FormObject *form = PyObject_New(FormObject, &FormType);
    if (form == NULL)
        return NULL;
    form->hash = hash;
    form->count = count;
    form->numbers = 0;
    form->names = PyTuple_New(count);
    if (form->names == NULL)
        goto failed;
    for (Py_ssize_t k = 0; k < count; k++) {
        PyObject *name = texts_get(texts, fields[k].name);
        if (name == NULL)
            goto failed;
        PyTuple_SET_ITEM(form->names, k, name);
        form->pieces[k] = (Piece){(const char *)PyUnicode_1BYTE_DATA(name), fields[k].name.size};
        form->kinds[k] = fields[k].kind == NUMBER;
        form->numbers += form->kinds[k];
    }
    return form;
failed:
    Py_DECREF(form);
    return NULL;
}

static void form_dealloc(FormObject *form) {
    Py_XDECREF(form->names);
    PyObject_Free(form);
}

static PyObject *form_names(FormObject *form, void *closure) { return Py_NewRef(form->names); }

/* Return the names of the fields that are numbers or, with a closure, of the others. */
static PyObject *form_some(FormObject *form, void *others) {
    PyObject *names = PyTuple_New(others ? form->count - form->numbers : form->numbers);
    if (names == NULL)
        return NULL;
    for (Py_ssize_t k = 0, place = 0; k < form->count; k++)
        if (form->kinds[k] == (others == NULL))
            PyTuple_SET_ITEM(names, place++, Py_NewRef(PyTuple_GET_ITEM(form->names, k)));
    return names;
}

static PyGetSetDef form_getset[] = {
    {"names", (getter)form_names, NULL, "Names of all fields, in their order.", NULL},
    {"numbers", (getter)form_some, NULL, "Names of the fields that are numbers.", NULL},
    {"others", (getter)form_some, NULL, "Names of the fields that are not.", ""},
    {NULL},
};

PyTypeObject FormType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "tvwire.wire._native.Form",
    .tp_doc = "Fields that changes of quotes have in common, and which of them are numbers.",
    .tp_basicsize = sizeof(FormObject),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_dealloc = (destructor)form_dealloc,
    .tp_getset = form_getset,
};

/* -- rows ----------------------------------------------------------------------------------------------------- */

static PyObject *value_of(Texts *texts, const Field *field) {
    switch (field->kind) {
    case NUMBER:
        return field->whole ? PyLong_FromLongLong((long long)field->number) : PyFloat_FromDouble(field->number);
    case TEXT:
        return texts_get(texts, field->text);
    case YES:
        Py_RETURN_TRUE;
    case NO:
        Py_RETURN_FALSE;
    default:
        Py_RETURN_NONE;
    }
}

static PyObject *new_row(Texts *texts, FormObject *form, const Field *fields) {
    RowObject *row = PyObject_Malloc(sizeof(RowObject) + form->count * 8);
    if (row == NULL)
        return PyErr_NoMemory();
    PyObject_Init((PyObject *)row, &RowType);
    row->form = (FormObject *)Py_NewRef(form);
    double *number = row->numbers;
    PyObject **other = OTHERS(row), **end = other + form->count - form->numbers;
    for (PyObject **place = other; place < end; place++)
        *place = NULL;
    for (Py_ssize_t k = 0; k < form->count; k++) {
        if (form->kinds[k]) {
            *number++ = fields[k].number;
        } else if ((*other++ = value_of(texts, &fields[k])) == NULL) {
            Py_DECREF(row);
            return NULL;
        }
    }
    return (PyObject *)row;
}

static PyObject *new_dict(Texts *texts, const Field *fields, Py_ssize_t count) {
    PyObject *values = PyDict_New();
    for (Py_ssize_t k = 0; values != NULL && k < count; k++) {
        PyObject *name = texts_get(texts, fields[k].name), *value = value_of(texts, &fields[k]);
        if (name == NULL || value == NULL || PyDict_SetItem(values, name, value) < 0)
            Py_CLEAR(values);
        Py_XDECREF(name);
        Py_XDECREF(value);
    }
    return values;
}

PyObject *forms_fill(Forms *forms, const Field *fields, Py_ssize_t count) {
    if (forms->last != NULL && has_form(forms->last, fields, count))
        return new_row(&forms->texts, forms->last, fields);
    uint64_t hash = hash_of(fields, count);
    size_t place = (size_t)hash % FORMS;
    while (forms->known[place] != NULL && (forms->known[place]->hash != hash || !has_form(forms->known[place], fields, count)))
        place = (place + 1) % FORMS;
    FormObject *form = forms->known[place];
    if (form == NULL) {
        if (is_repeated(fields, count))
            return NULL;
        if (forms->count >= FORMS / 2)
            return new_dict(&forms->texts, fields, count);
        form = new_form(&forms->texts, fields, count, hash);
        if (form == NULL)
            return NULL;
        /* a collection of garbage in between may have run code that read with the same reader */
        Py_XSETREF(forms->known[place], form);
        forms->count++;
    }
    forms->last = form; /* borrowed */
    return new_row(&forms->texts, form, fields);
}

void forms_clear(Forms *forms) {
    forms->last = NULL;
    for (size_t k = 0; k < FORMS; k++)
        Py_CLEAR(forms->known[k]);
    texts_clear(&forms->texts);
}

static void row_dealloc(RowObject *row) {
    for (Py_ssize_t k = row->form->count - row->form->numbers; k--;)
        Py_XDECREF(OTHERS(row)[k]);
    Py_DECREF(row->form);
    PyObject_Free(row);
}

static PyObject *row_form(RowObject *row, void *closure) { return Py_NewRef(row->form); }

static PyObject *row_others(RowObject *row, void *closure) {
    Py_ssize_t count = row->form->count - row->form->numbers;
    PyObject *others = PyTuple_New(count);
    for (Py_ssize_t k = 0; others != NULL && k < count; k++)
        PyTuple_SET_ITEM(others, k, Py_NewRef(OTHERS(row)[k]));
    return others;
}

static PyObject *row_as_dict(RowObject *row, PyObject *unused) {
    PyObject *values = PyDict_New();
    double *number = row->numbers;
    PyObject **other = OTHERS(row);
    for (Py_ssize_t k = 0; values != NULL && k < row->form->count; k++) {
        PyObject *value = row->form->kinds[k] ? PyFloat_FromDouble(*number++) : Py_NewRef(*other++);
        if (value == NULL || PyDict_SetItem(values, PyTuple_GET_ITEM(row->form->names, k), value) < 0)
            Py_CLEAR(values);
        Py_XDECREF(value);
    }
    return values;
}

/* Whether every place lies in a row of some size. */
static bool all_within(const int32_t *places, Py_ssize_t count, Py_ssize_t size) {
    for (Py_ssize_t k = 0; k < count; k++)
        if (places[k] < 0 || places[k] >= size)
            return false;
    return true;
}

/* settle(cells, start, columns, others, places, texts): put all values where their symbol keeps them. */
static PyObject *row_settle(RowObject *row, PyObject *const *args, Py_ssize_t count) {
    FormObject *form = row->form;
    Py_ssize_t numbers = form->numbers, rest = form->count - numbers;
    if (count != 6 || !PyBytes_Check(args[2]) || PyBytes_GET_SIZE(args[2]) != numbers * 4 || !PyList_Check(args[3]) ||
        !PyBytes_Check(args[4]) || PyBytes_GET_SIZE(args[4]) != rest * 4 || !PyDict_Check(args[5])) {
        PyErr_SetString(PyExc_TypeError, "settle takes cells, a start, columns, a list, its places, and texts");
        return NULL;
    }
    const int32_t *columns = (const int32_t *)PyBytes_AS_STRING(args[2]);
    const int32_t *places = (const int32_t *)PyBytes_AS_STRING(args[4]);
    Py_ssize_t start = PyLong_AsSsize_t(args[1]);
    if (start == -1 && PyErr_Occurred())
        return NULL;
    Py_buffer cells;
    if (PyObject_GetBuffer(args[0], &cells, PyBUF_WRITABLE | PyBUF_FORMAT | PyBUF_ND) < 0)
        return NULL;
    bool doubles = cells.format != NULL && strcmp(cells.format, "d") == 0;
    Py_ssize_t size = cells.len / (Py_ssize_t)sizeof(double);
    bool fits = doubles && start >= 0 && start <= size && all_within(columns, numbers, size - start) &&
                all_within(places, rest, PyList_GET_SIZE(args[3]));
    for (Py_ssize_t k = 0; fits && k < numbers; k++) /* a view of doubles may begin anywhere, hence memcpy */
        memcpy((char *)cells.buf + (start + columns[k]) * sizeof(double), &row->numbers[k], sizeof(double));
    PyBuffer_Release(&cells);
    if (!fits) {
        PyErr_SetString(doubles ? PyExc_IndexError : PyExc_TypeError,
                        doubles ? "a place lies outside of the table" : "cells have to be an array of float64");
        return NULL;
    }
    for (Py_ssize_t k = 0; k < rest; k++) {
        PyObject *value = OTHERS(row)[k];
        value = PyUnicode_Check(value) ? PyObject_GetItem(args[5], value) : Py_NewRef(value);
        /* texts may be a kind of dict that runs code when one is missing, so the list is looked at anew */
        if (value == NULL || PyList_SetItem(args[3], places[k], value) < 0)
            return NULL;
    }
    Py_RETURN_NONE;
}

static PyGetSetDef row_getset[] = {
    {"form", (getter)row_form, NULL, "Which fields it has.", NULL},
    {"others", (getter)row_others, NULL, "Values that are no numbers, in the order of the form.", NULL},
    {NULL},
};

static PyMethodDef row_methods[] = {
    {"as_dict", (PyCFunction)row_as_dict, METH_NOARGS, "Return the values by name; numbers are floats."},
    {"settle", (PyCFunction)(void (*)(void))row_settle, METH_FASTCALL,
     "Put the values where their symbol keeps them: numbers into cells, an array of float64, at a start plus the column "
     "of each; the others into a list, texts as the one copy that a dict has of them."},
    {NULL},
};

PyTypeObject RowType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "tvwire.wire._native.Row",
    .tp_doc = "Values of the fields of a form.",
    .tp_basicsize = sizeof(RowObject),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_dealloc = (destructor)row_dealloc,
    .tp_getset = row_getset,
    .tp_methods = row_methods,
};
