/* tvwire.wire._native: the two things that a client does millions of times, without an object per number.
 *
 * Optional: everything here has its like in Python (wire/bars.py, wire/hot.py), which is used where this is not built,
 * which reads whatever this does not, and which the tests compare it with.
 */
#include "native.h"

/* What Python code can expect here; one more with each change of it. wire/native.py leaves another one alone. */
#define API 1

static PyMethodDef methods[] = {
    {"bars", native_bars, METH_O,
     "Read the arrays of bars of a payload. Return for each where it begins and ends, its indexes (int64), its table "
     "(time as int64, then open, high, low, close and volume as float64, one column after the other), the number of "
     "bars, and the room of a column in bars; None where one is irregular."},
    {NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_native",
    .m_doc = "Reads live packets and arrays of bars.",
    .m_size = -1,
    .m_methods = methods,
};

PyMODINIT_FUNC PyInit__native(void) {
    PyTypeObject *types[] = {&FormType, &RowType, &UpdateType, &ChangeType, &ReaderType};
    PyObject *module = PyModule_Create(&definition);
    for (size_t k = 0; module != NULL && k < sizeof(types) / sizeof(*types); k++)
        if (PyModule_AddType(module, types[k]) < 0)
            Py_CLEAR(module);
    if (module != NULL && PyModule_AddIntConstant(module, "API", API) < 0)
        Py_CLEAR(module);
    return module;
}
