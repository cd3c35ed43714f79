/* What the parts of the module give each other. */
#ifndef TVWIRE_NATIVE_H
#define TVWIRE_NATIVE_H

#include "number.h"
#include "text.h"

/* bars.c */
PyObject *native_bars(PyObject *module, PyObject *payload);

/* texts.c: texts that come again and again are made once. */
#define TEXTS 2048
typedef struct {
    PyObject *known[TEXTS];
} Texts;
PyObject *texts_get(Texts *texts, Piece piece);
void texts_clear(Texts *texts);

/* rows.c */
#define MOST_FIELDS 100
#define FORMS 512 /* places; half of them are filled at most */

typedef enum { NUMBER, TEXT, YES, NO, NOTHING } FieldKind;

typedef struct {
    Piece name;
    FieldKind kind;
    bool whole;    /* a number without fraction and exponent */
    double number; /* if it is one */
    Piece text;    /* if it is one */
} Field;

typedef struct FormObject FormObject;
typedef struct {
    FormObject *known[FORMS];
    FormObject *last;
    Py_ssize_t count;
    Texts texts;
} Forms;

/* Return a Row of the fields, a dict where forms would become too many, or NULL with an error or, if a name is there
 * twice, without one. */
PyObject *forms_fill(Forms *forms, const Field *fields, Py_ssize_t count);
void forms_clear(Forms *forms);

extern PyTypeObject FormType, RowType;

/* packets.c */
extern PyTypeObject UpdateType, ChangeType, ReaderType;

#endif
