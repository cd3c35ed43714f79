/* Numbers of JSON, correctly rounded. */
#ifndef TVWIRE_NUMBER_H
#define TVWIRE_NUMBER_H

#include "text.h"

#include <float.h>

typedef enum { NO_NUMBER, WHOLE, REAL } NumberKind;

#define EXACT 9007199254740992.0 /* 2^53: whole numbers beyond it do not all fit a double */

static const double POWERS[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
#define MOST_EXPONENT 22 /* the greatest power of ten that a double holds exactly */
#define MOST_DIGITS 19   /* that never overflow 64 bits */
#define LONGEST 100

/* Where doubles are calculated with in more bits than they have (x87), a result would be rounded twice. */
#if defined(FLT_EVAL_METHOD) && (FLT_EVAL_METHOD == 0 || FLT_EVAL_METHOD == 1)
#define ROUNDS_ONCE true
#else
#define ROUNDS_ONCE false
#endif

/* Leave a number of many digits to Python's own conversion. */
static NumberKind read_long_number(const char *start, const char *end, NumberKind kind, double *value) {
    char copy[LONGEST + 1];
    if (end - start > LONGEST)
        return NO_NUMBER;
    memcpy(copy, start, end - start);
    copy[end - start] = 0;
    *value = PyOS_string_to_double(copy, NULL, NULL);
    if (*value == -1.0 && PyErr_Occurred()) {
        PyErr_Clear();
        return NO_NUMBER;
    }
    return Py_IS_FINITE(*value) ? kind : NO_NUMBER;
}

/* Read a number and step over it. One with more digits than a double has, or too great for one, may be refused.
 *
 * Where all digits fit 53 bits and the power of ten is exact, one multiplication or division rounds once, so the
 * result is the nearest double (Clinger, 1990); almost every price is such a number.
 */
static inline NumberKind read_number(Cursor *cursor, double *value) {
    const char *p = cursor->at, *start = p;
    NumberKind kind = WHOLE;
    uint64_t digits = 0;
    Py_ssize_t count;
    int exponent = 0;
    bool negative = *p == '-';
    p += negative;
    const char *first = p;
    if (*p == '0') {
        p++;
    } else if (is_digit(*p)) {
        do
            digits = 10 * digits + (uint64_t)(*p++ - '0');
        while (is_digit(*p));
    } else {
        return NO_NUMBER;
    }
    count = p - first;
    if (*p == '.') {
        const char *point = p++;
        if (!is_digit(*p))
            return NO_NUMBER;
        do
            digits = 10 * digits + (uint64_t)(*p++ - '0');
        while (is_digit(*p));
        if (p - point > LONGEST)
            return NO_NUMBER;
        exponent = -(int)(p - point - 1);
        count = p - first - 1;
        kind = REAL;
    }
    if (*p == 'e' || *p == 'E') {
        p++;
        bool smaller = *p == '-';
        p += smaller || *p == '+';
        const char *begin = p;
        int power = 0;
        if (!is_digit(*p))
            return NO_NUMBER;
        do
            power = 10 * power + (*p++ - '0');
        while (is_digit(*p) && p - begin < 4);
        if (is_digit(*p))
            return NO_NUMBER;
        exponent += smaller ? -power : power;
        kind = REAL;
    }
    cursor->at = p;
    if (count > MOST_DIGITS || digits > (uint64_t)EXACT || exponent < -MOST_EXPONENT || exponent > MOST_EXPONENT ||
        (!ROUNDS_ONCE && exponent))
        return read_long_number(start, p, kind, value);
    double found = (double)digits;
    if (exponent < 0)
        found /= POWERS[-exponent];
    else
        found *= POWERS[exponent];
    *value = negative && (kind == REAL || digits) ? -found : found;
    return kind;
}

#endif
