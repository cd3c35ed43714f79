/* Messages of live traffic to packets: frames cut by their lengths, du and qsd read at once.
 *
 * Only what live traffic is made of is read here, an update of one bar of one series and a change of one quote, in the
 * very text that the service writes. Every other packet stays bytes.
 */
#include "native.h"

#include <stddef.h>
#include <structmember.h>

#define MOST_LENGTH_DIGITS 8
#define MOST_VALUES 16
#define FEWEST_VALUES 5 /* time and four prices */
#define MISSING 1e100
#define LONG 65536 /* bytes from which a payload is not copied out of its message */

typedef struct {
    PyObject_HEAD
    PyObject *message; /* holds the packet */
    Py_ssize_t start, size;
    PyObject *session;
    PyObject *name;   /* of the series or symbol */
    PyObject *values; /* list of float; Row or dict */
    PyObject *turnaround, *closes; /* of an update; otherwise NULL */
} PacketObject;

typedef struct {
    PyObject_HEAD
    Py_ssize_t limit;
    Forms forms;
} ReaderObject;

/* -- packets -------------------------------------------------------------------------------------------------- */

static PyObject *new_packet(PyTypeObject *type, PyObject *message, Piece payload) {
    PacketObject *packet = PyObject_New(PacketObject, type);
    if (packet == NULL)
        return NULL;
    packet->message = Py_NewRef(message);
    packet->start = payload.start - PyBytes_AS_STRING(message);
    packet->size = payload.size;
    packet->session = packet->name = packet->values = packet->turnaround = packet->closes = NULL;
    return (PyObject *)packet;
}

static void packet_dealloc(PacketObject *packet) {
    Py_DECREF(packet->message);
    Py_XDECREF(packet->session);
    Py_XDECREF(packet->name);
    Py_XDECREF(packet->values);
    Py_XDECREF(packet->turnaround);
    Py_XDECREF(packet->closes);
    PyObject_Free(packet);
}

static PyObject *packet_raw(PacketObject *packet, void *closure) {
    return PyBytes_FromStringAndSize(PyBytes_AS_STRING(packet->message) + packet->start, packet->size);
}

static PyGetSetDef packet_getset[] = {
    {"raw", (getter)packet_raw, NULL, "The payload as it came.", NULL},
    {NULL},
};

static PyMemberDef update_members[] = {
    {"session", T_OBJECT_EX, offsetof(PacketObject, session), READONLY, "Chart session."},
    {"series", T_OBJECT_EX, offsetof(PacketObject, name), READONLY, "Name of the series."},
    {"bar", T_OBJECT_EX, offsetof(PacketObject, values), READONLY, "Values of the bar, a list of floats."},
    {"turnaround", T_OBJECT_EX, offsetof(PacketObject, turnaround), READONLY, "Which load of the series it is about."},
    {"closes", T_OBJECT_EX, offsetof(PacketObject, closes), READONLY, "When the newest bar closes, UTC seconds; or None."},
    {NULL},
};

static PyMemberDef change_members[] = {
    {"session", T_OBJECT_EX, offsetof(PacketObject, session), READONLY, "Quote session."},
    {"symbol", T_OBJECT_EX, offsetof(PacketObject, name), READONLY, "Symbol as it was asked for."},
    {"values", T_OBJECT_EX, offsetof(PacketObject, values), READONLY, "Values by field: a Row or a dict."},
    {NULL},
};

PyTypeObject UpdateType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "tvwire.wire._native.Update",
    .tp_doc = "du: one bar of one series.",
    .tp_basicsize = sizeof(PacketObject),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_dealloc = (destructor)packet_dealloc,
    .tp_members = update_members,
    .tp_getset = packet_getset,
};

PyTypeObject ChangeType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "tvwire.wire._native.Change",
    .tp_doc = "qsd: values of one symbol that changed.",
    .tp_basicsize = sizeof(PacketObject),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_dealloc = (destructor)packet_dealloc,
    .tp_members = change_members,
    .tp_getset = packet_getset,
};

/* -- reading --------------------------------------------------------------------------------------------------- */

/* Make the list of a bar's values; each of them is there. */
static PyObject *new_bar(const double *values, Py_ssize_t count) {
    PyObject *bar = PyList_New(count);
    for (Py_ssize_t k = 0; bar != NULL && k < count; k++) {
        PyObject *value = PyFloat_FromDouble(values[k]);
        if (value == NULL)
            Py_CLEAR(bar);
        else
            PyList_SET_ITEM(bar, k, value);
    }
    return bar;
}

/* Read a du of one bar of one series, from behind its verb; NULL without an error where it is none. */
static PyObject *read_update(Texts *texts, Cursor *at, PyObject *message, Piece payload) {
    Piece session, series, turnaround;
    double values[MOST_VALUES], index, closes;
    Py_ssize_t count = 0;
    if (!read_text(at, &session) || !SKIP(at, ",{\"") || !read_text(at, &series) || !SKIP(at, ":{\"s\":[{\"i\":") ||
        read_number(at, &index) != WHOLE || !SKIP(at, ",\"v\":["))
        return NULL;
    do {
        if (count == MOST_VALUES || !read_number(at, &values[count]) || !(values[count] < MISSING))
            return NULL;
        count++;
    } while (SKIP(at, ","));
    if (count < FEWEST_VALUES || !SKIP(at, "]}],\"ns\":{\"d\":\"\",\"indexes\":") ||
        !(SKIP(at, "\"nochange\"") || SKIP(at, "[]")) || !SKIP(at, "},\"t\":\"") || !read_text(at, &turnaround))
        return NULL;
    bool ends = SKIP(at, ",\"lbs\":{\"bar_close_time\":");
    if (ends && (read_number(at, &closes) != WHOLE || !(-EXACT < closes && closes < EXACT) || !SKIP(at, "}")))
        return NULL;
    if (!SKIP(at, "}}]}") || at->at != at->end)
        return NULL;
    PacketObject *packet = (PacketObject *)new_packet(&UpdateType, message, payload);
    if (packet == NULL)
        return NULL;
    packet->session = texts_get(texts, session);
    packet->name = texts_get(texts, series);
    packet->turnaround = texts_get(texts, turnaround);
    packet->closes = ends ? PyLong_FromLongLong((long long)closes) : Py_NewRef(Py_None);
    packet->values = new_bar(values, count);
    if (!packet->session || !packet->name || !packet->turnaround || !packet->closes || !packet->values)
        Py_CLEAR(packet);
    return (PyObject *)packet;
}

static bool read_field(Cursor *at, Field *field) {
    if (!SKIP(at, "\"") || !read_text(at, &field->name) || !SKIP(at, ":"))
        return false;
    switch (*at->at) {
    case '"':
        at->at++;
        field->kind = TEXT;
        return read_text(at, &field->text);
    case 't':
        field->kind = YES;
        return SKIP(at, "true");
    case 'f':
        field->kind = NO;
        return SKIP(at, "false");
    case 'n':
        field->kind = NOTHING;
        return SKIP(at, "null");
    default: {
        NumberKind kind = read_number(at, &field->number);
        field->kind = NUMBER;
        field->whole = kind == WHOLE;
        /* a whole number that no double has exactly has to stay one */
        return kind == REAL || (kind == WHOLE && -EXACT < field->number && field->number < EXACT);
    }
    }
}

/* Read a qsd of plain values, from behind its verb; NULL without an error where it is none. */
static PyObject *read_change(Forms *forms, Cursor *at, PyObject *message, Piece payload) {
    Piece session, symbol;
    Field fields[MOST_FIELDS];
    Py_ssize_t count = 0;
    if (!read_text(at, &session) || !SKIP(at, ",{\"n\":\"") || !read_text(at, &symbol) ||
        !SKIP(at, ",\"s\":\"ok\",\"v\":{"))
        return NULL;
    if (!SKIP(at, "}")) {
        do {
            if (count == MOST_FIELDS || !read_field(at, &fields[count]))
                return NULL;
            count++;
        } while (SKIP(at, ","));
        if (!SKIP(at, "}"))
            return NULL;
    }
    if (!SKIP(at, "}]}") || at->at != at->end)
        return NULL;
    PyObject *values = forms_fill(forms, fields, count);
    if (values == NULL)
        return NULL;
    PacketObject *packet = (PacketObject *)new_packet(&ChangeType, message, payload);
    if (packet == NULL) {
        Py_DECREF(values);
        return NULL;
    }
    packet->values = values;
    packet->session = texts_get(&forms->texts, session);
    packet->name = texts_get(&forms->texts, symbol);
    if (!packet->session || !packet->name)
        Py_CLEAR(packet);
    return (PyObject *)packet;
}

/* Return a payload as bytes or, where it is long, as a view of its message. */
static PyObject *new_payload(PyObject *message, Piece payload) {
    if (payload.size < LONG)
        return PyBytes_FromStringAndSize(payload.start, payload.size);
    PyObject *all = PyMemoryView_FromObject(message);
    if (all == NULL)
        return NULL;
    Py_ssize_t start = payload.start - PyBytes_AS_STRING(message);
    PyObject *part = PySequence_GetSlice(all, start, start + payload.size);
    Py_DECREF(all);
    return part;
}

static PyObject *read_payload(Forms *forms, PyObject *message, Piece payload) {
    Cursor at = {payload.start, payload.start + payload.size};
    PyObject *packet = NULL;
    if (SKIP(&at, "{\"m\":\"du\",\"p\":[\""))
        packet = read_update(&forms->texts, &at, message, payload);
    else if (SKIP(&at, "{\"m\":\"qsd\",\"p\":[\""))
        packet = read_change(forms, &at, message, payload);
    if (packet == NULL && !PyErr_Occurred())
        packet = new_payload(message, payload);
    return packet;
}

/* Read the header of a frame; -1 if none is here that is written as the protocol does. */
static inline Py_ssize_t read_length(Cursor *at) {
    Py_ssize_t length = 0;
    if (!SKIP(at, "~m~") || !is_digit(*at->at) || (*at->at == '0' && at->at[1] != '~'))
        return -1;
    const char *first = at->at;
    while (is_digit(*at->at))
        if (at->at - first == MOST_LENGTH_DIGITS)
            return -1;
        else
            length = 10 * length + (*at->at++ - '0');
    return SKIP(at, "~m~") && length <= at->end - at->at ? length : -1;
}

static bool is_ascii(const char *at, const char *end) {
    uint64_t word;
    for (; end - at >= 8; at += 8) {
        memcpy(&word, at, 8);
        if (word & 0x8080808080808080u)
            return false;
    }
    for (; at < end; at++)
        if ((unsigned char)*at >= 0x80)
            return false;
    return true;
}

static PyObject *reader_read(ReaderObject *reader, PyObject *message) {
    if (!PyBytes_Check(message)) {
        PyErr_SetString(PyExc_TypeError, "a message has to be bytes");
        return NULL;
    }
    const char *start = PyBytes_AS_STRING(message);
    Cursor at = {start, start + PyBytes_GET_SIZE(message)};
    if (at.at == at.end || PyBytes_GET_SIZE(message) > reader->limit || !is_ascii(at.at, at.end))
        Py_RETURN_NONE; /* units of length differ where text is not ASCII */
    PyObject *packets = PyList_New(0), *heartbeats = NULL;
    while (packets != NULL && at.at < at.end) {
        Py_ssize_t length = read_length(&at);
        if (length < 0) {
            Py_SETREF(packets, Py_NewRef(Py_None));
            break;
        }
        Piece payload = {at.at, length};
        PyObject *packet = read_payload(&reader->forms, message, payload);
        /* a heartbeat is to be answered before anything else of its message is looked at */
        bool beats = length >= 3 && memcmp(payload.start, "~h~", 3) == 0;
        if (beats && heartbeats == NULL)
            heartbeats = PyList_New(0);
        PyObject *list = beats ? heartbeats : packets;
        if (packet == NULL || list == NULL || PyList_Append(list, packet) < 0)
            Py_CLEAR(packets);
        Py_XDECREF(packet);
        at.at += length;
    }
    if (packets != NULL && packets != Py_None && heartbeats != NULL && PyList_SetSlice(packets, 0, 0, heartbeats) < 0)
        Py_CLEAR(packets);
    Py_XDECREF(heartbeats);
    return packets;
}

/* -- the reader -------------------------------------------------------------------------------------------------- */

static PyObject *reader_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"limit", NULL};
    Py_ssize_t limit;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "n:Reader", names, &limit))
        return NULL;
    ReaderObject *reader = PyObject_New(ReaderObject, type);
    if (reader == NULL)
        return NULL;
    reader->limit = limit;
    memset(&reader->forms, 0, sizeof(Forms));
    return (PyObject *)reader;
}

static void reader_dealloc(ReaderObject *reader) {
    forms_clear(&reader->forms);
    PyObject_Free(reader);
}

static PyMethodDef reader_methods[] = {
    {"read", (PyCFunction)reader_read, METH_O,
     "Return the packets of a message: updates, changes and, of everything else, payloads. Heartbeats come first. None "
     "where the message has to be cut by the reader of everything."},
    {NULL},
};

PyTypeObject ReaderType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "tvwire.wire._native.Reader",
    .tp_doc = "Reads the messages of one connection, none longer than a limit in bytes.",
    .tp_basicsize = sizeof(ReaderObject),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = reader_new,
    .tp_dealloc = (destructor)reader_dealloc,
    .tp_methods = reader_methods,
};
