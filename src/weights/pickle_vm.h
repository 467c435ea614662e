/* pickle_vm.h: the machine that runs a pickle: its values, its names (pickle_globals.c), its bytes,
 * stack, memo and constants (pickle_vm.c). What calls mean and what comes out is in pickle.c. */
// SPDX-License-Identifier: Apache-2.0
#ifndef QB_WEIGHTS_PICKLE_VM_H
#define QB_WEIGHTS_PICKLE_VM_H

#include "weights/pickle.h"

typedef enum PickleMeaning {
    PICKLE_ORDERED_DICT,
    PICKLE_REBUILD_TENSOR,
    PICKLE_REBUILD_PARAMETER,
    PICKLE_PARAMETER,
    PICKLE_SIZE,
    PICKLE_STORAGE_CLASS,
    PICKLE_HARMLESS,     /* no tensor, and not called */
    PICKLE_HARMLESS_CALL /* what it would return is no tensor */
} PickleMeaning;

typedef struct PickleGlobal {
    const char *module, *name;
    PickleMeaning meaning;
    QbDtype dtype; /* of storage classes */
} PickleGlobal;

/* NULL: not allowed. */
const PickleGlobal *qb_pickle_find_global(const char *module, size_t module_length,
                                          const char *name, size_t name_length);

typedef enum PickleKind {
    PICKLE_NONE,
    PICKLE_BOOL,
    PICKLE_INT,
    PICKLE_FLOAT,
    PICKLE_TEXT,
    PICKLE_OTHER, /* something that is no tensor and of no interest */
    PICKLE_GLOBAL,
    PICKLE_TUPLE,
    PICKLE_LIST,
    PICKLE_DICT,
    PICKLE_STORAGE, /* index: the tuple of its persistent id */
    PICKLE_TENSOR,  /* index: the tuple of _rebuild_tensor_v2's arguments */
    PICKLE_MARK
} PickleKind;

/* Containers are referred to by index, never copied: whatever a pickle ties together takes no more
 * memory than its opcodes made. */
typedef struct PickleValue {
    PickleKind kind;
    uint32_t length; /* of a text */
    union {
        int64_t number;
        const char *text; /* in the pickle */
        const PickleGlobal *global;
        uint32_t index; /* of the object */
    };
} PickleValue;

typedef struct PickleObject {
    PickleValue *items; /* owned; of a dict: key, value, key, value, … */
    size_t n, capacity;
} PickleObject;

typedef struct PickleVm {
    const char *file;
    const uint8_t *data;
    size_t size, at;
    size_t opcode_at;
    PickleValue *stack;
    size_t n_stack, stack_capacity;
    PickleObject *objects;
    size_t n_objects, objects_capacity;
    PickleValue *memo; /* PICKLE_MARK: nothing there */
    size_t memo_size;
} PickleVm;

QbStatus qb_pickle_fail(const PickleVm *vm, QbStatus status, const char *what);

/* Little-endian, unsigned, n <= 8 bytes of the pickle. */
QbStatus qb_pickle_take_number(uint64_t *out, PickleVm *vm, size_t n);

QbStatus qb_pickle_push(PickleVm *vm, PickleValue value);
QbStatus qb_pickle_push_kind(PickleVm *vm, PickleKind kind, int64_t number);
/* Never a mark: that reads as an empty stack. */
QbStatus qb_pickle_peek(PickleValue *out, const PickleVm *vm);
QbStatus qb_pickle_pop(PickleValue *out, PickleVm *vm);

/* Replaces the topmost n values, which are there, and `drop` more below, by an object of them. */
QbStatus qb_pickle_make_object(PickleVm *vm, PickleKind kind, size_t n, size_t drop);
QbStatus qb_pickle_make_tuple(PickleVm *vm, size_t n);
QbStatus qb_pickle_make_marked_tuple(PickleVm *vm);

/* Moves the topmost n values (and a mark, where drop is 1) into the container below. */
QbStatus qb_pickle_fill(PickleVm *vm, PickleKind kind, size_t n, size_t drop);
QbStatus qb_pickle_fill_from_mark(PickleVm *vm, PickleKind kind);

/* Remembers the topmost value, and pushes a remembered one, under an index of so many bytes. */
QbStatus qb_pickle_get_memo(PickleVm *vm, size_t index_bytes);
QbStatus qb_pickle_put_memo(PickleVm *vm, size_t index_bytes);

/* Constants that follow their opcode. */
QbStatus qb_pickle_push_int(PickleVm *vm, size_t n);
QbStatus qb_pickle_push_long(PickleVm *vm);
QbStatus qb_pickle_push_text(PickleVm *vm, size_t length_bytes);
QbStatus qb_pickle_push_float(PickleVm *vm);
QbStatus qb_pickle_push_global(PickleVm *vm);

#endif
