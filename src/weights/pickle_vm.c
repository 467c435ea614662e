/* pickle_vm.c: bytes, stack, memo, containers and constants of a pickle (Python's pickletools.py
 * describes the opcodes). Nothing here recurses, and a container holds what was on the stack, so
 * that time and memory follow the pickle's length; the limits keep the factor small. */
// SPDX-License-Identifier: Apache-2.0
#include "weights/pickle_vm.h"

#include "base/error.h"
#include "base/mem.h"

#include <string.h>

/* A state dict of 100,000 tensors stays below; Python puts 2,000 values at most on the stack to
 * fill a dict (pickle.py, _BATCHSIZE). */
enum { MAX_STACK = 1 << 16, MAX_OBJECTS = 1 << 20, MAX_MEMO = 1 << 21, MAX_GLOBAL_NAME = 256 };

QbStatus qb_pickle_fail(const PickleVm *vm, QbStatus status, const char *what)
{
    return qb_fail(status, "%s: data.pkl at byte %zu: %s", vm->file, vm->opcode_at, what);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static QbStatus take_bytes(const uint8_t **out, PickleVm *vm, size_t n)
{
    *out = vm->data + vm->at;
    if (n > vm->size - vm->at)
        return qb_pickle_fail(vm, QB_ERR_FORMAT, "the pickle ends too early");
    vm->at += n;
    return QB_OK;
}

QbStatus qb_pickle_take_number(uint64_t *out, PickleVm *vm, size_t n)
{
    const uint8_t *bytes;
    QbStatus status = take_bytes(&bytes, vm, n);
    *out = 0;
    for (size_t i = 0; i < n && !status; i++)
        *out |= (uint64_t)bytes[i] << (8 * i);
    return status;
}

/* Up to a newline. */
static QbStatus take_line(const char **out, size_t *out_length, PickleVm *vm)
{
    const char *start = (const char *)vm->data + vm->at;
    size_t left = vm->size - vm->at;
    size_t most = left < MAX_GLOBAL_NAME ? left : MAX_GLOBAL_NAME;
    const char *end = most ? memchr(start, '\n', most) : NULL;
    if (!end)
        return qb_pickle_fail(vm, QB_ERR_FORMAT, "a name does not end");
    *out = start;
    *out_length = (size_t)(end - start);
    vm->at += *out_length + 1;
    return QB_OK;
}

/* ---- stack, memo, objects -------------------------------------------------------------------- */

QbStatus qb_pickle_push(PickleVm *vm, PickleValue value)
{
    if (vm->n_stack == MAX_STACK)
        return qb_pickle_fail(vm, QB_ERR_LIMIT, "too many values on the stack");
    QbStatus status = qb_checkpoint_grow((void **)&vm->stack, &vm->stack_capacity, vm->n_stack,
                                         sizeof *vm->stack);
    if (!status)
        vm->stack[vm->n_stack++] = value;
    return status;
}

QbStatus qb_pickle_push_kind(PickleVm *vm, PickleKind kind, int64_t number)
{
    return qb_pickle_push(vm, (PickleValue){.kind = kind, .number = number});
}

QbStatus qb_pickle_peek(PickleValue *out, const PickleVm *vm)
{
    if (vm->n_stack == 0 || vm->stack[vm->n_stack - 1].kind == PICKLE_MARK)
        return qb_pickle_fail(vm, QB_ERR_FORMAT, "the stack is empty");
    *out = vm->stack[vm->n_stack - 1];
    return QB_OK;
}

QbStatus qb_pickle_pop(PickleValue *out, PickleVm *vm)
{
    QbStatus status = qb_pickle_peek(out, vm);
    if (!status)
        vm->n_stack--;
    return status;
}

/* *out: how many values stand above the topmost mark. */
static QbStatus count_to_mark(size_t *out, const PickleVm *vm)
{
    size_t n = 0;
    while (n < vm->n_stack && vm->stack[vm->n_stack - 1 - n].kind != PICKLE_MARK)
        n++;
    *out = n;
    return n < vm->n_stack ? QB_OK : qb_pickle_fail(vm, QB_ERR_FORMAT, "the stack has no mark");
}

static QbStatus add_items(PickleVm *vm, uint32_t index, const PickleValue *values, size_t n)
{
    PickleObject *object = &vm->objects[index];
    if (n > object->capacity - object->n) {
        size_t wanted = 2 * object->n > object->n + n ? 2 * object->n : object->n + n;
        PickleValue *grown = qb_realloc(object->items, object->n * sizeof *object->items,
                                        wanted * sizeof *object->items);
        if (!grown)
            return QB_ERR_NOMEM;
        object->items = grown;
        object->capacity = wanted;
    }
    if (n)
        memcpy(object->items + object->n, values, n * sizeof *values);
    object->n += n;
    return QB_OK;
}

QbStatus qb_pickle_make_object(PickleVm *vm, PickleKind kind, size_t n, size_t drop)
{
    if (vm->n_objects == MAX_OBJECTS)
        return qb_pickle_fail(vm, QB_ERR_LIMIT, "too many objects");
    QbStatus status = qb_checkpoint_grow((void **)&vm->objects, &vm->objects_capacity,
                                         vm->n_objects, sizeof *vm->objects);
    if (status)
        return status;
    uint32_t index = (uint32_t)vm->n_objects++;
    if (n)
        status = add_items(vm, index, vm->stack + vm->n_stack - n, n);
    if (status)
        return status;
    vm->n_stack -= n + drop;
    return qb_pickle_push(vm, (PickleValue){.kind = kind, .index = index});
}

QbStatus qb_pickle_make_tuple(PickleVm *vm, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (i >= vm->n_stack || vm->stack[vm->n_stack - 1 - i].kind == PICKLE_MARK)
            return qb_pickle_fail(vm, QB_ERR_FORMAT, "the stack is empty");
    return qb_pickle_make_object(vm, PICKLE_TUPLE, n, 0);
}

QbStatus qb_pickle_make_marked_tuple(PickleVm *vm)
{
    size_t n;
    QbStatus status = count_to_mark(&n, vm);
    return status ? status : qb_pickle_make_object(vm, PICKLE_TUPLE, n, 1);
}

QbStatus qb_pickle_fill(PickleVm *vm, PickleKind kind, size_t n, size_t drop)
{
    if (n + drop >= vm->n_stack || vm->stack[vm->n_stack - 1 - n - drop].kind != kind)
        return qb_pickle_fail(vm, QB_ERR_FORMAT, "there is no container to fill");
    const PickleValue *values = vm->stack + vm->n_stack - n;
    for (size_t i = 0; i < n; i++)
        if (values[i].kind == PICKLE_MARK)
            return qb_pickle_fail(vm, QB_ERR_FORMAT, "the stack is empty");
    if (kind == PICKLE_DICT && n % 2)
        return qb_pickle_fail(vm, QB_ERR_FORMAT, "a key has no value");
    QbStatus status = add_items(vm, vm->stack[vm->n_stack - 1 - n - drop].index, values, n);
    vm->n_stack -= n + drop;
    return status;
}

QbStatus qb_pickle_fill_from_mark(PickleVm *vm, PickleKind kind)
{
    size_t n;
    QbStatus status = count_to_mark(&n, vm);
    return status ? status : qb_pickle_fill(vm, kind, n, 1);
}

QbStatus qb_pickle_get_memo(PickleVm *vm, size_t index_bytes)
{
    uint64_t index;
    QbStatus status = qb_pickle_take_number(&index, vm, index_bytes);
    if (status)
        return status;
    if (index >= vm->memo_size || vm->memo[index].kind == PICKLE_MARK)
        return qb_pickle_fail(vm, QB_ERR_FORMAT, "nothing was remembered there");
    return qb_pickle_push(vm, vm->memo[index]);
}

QbStatus qb_pickle_put_memo(PickleVm *vm, size_t index_bytes)
{
    uint64_t index;
    PickleValue value = {0};
    QbStatus status = qb_pickle_take_number(&index, vm, index_bytes);
    if (!status)
        status = qb_pickle_peek(&value, vm);
    if (status)
        return status;
    /* Indexes are counted up, and to remember something takes an opcode and an index. */
    if (index >= MAX_MEMO || index > vm->opcode_at + UINT8_MAX)
        return qb_pickle_fail(vm, QB_ERR_LIMIT, "too much is to be remembered");
    if (index >= vm->memo_size) {
        size_t wanted = 2 * (size_t)index + 64;
        PickleValue *grown =
            qb_realloc(vm->memo, vm->memo_size * sizeof *vm->memo, wanted * sizeof *vm->memo);
        if (!grown)
            return QB_ERR_NOMEM;
        for (size_t i = vm->memo_size; i < wanted; i++)
            grown[i].kind = PICKLE_MARK;
        vm->memo = grown;
        vm->memo_size = wanted;
    }
    vm->memo[index] = value;
    return QB_OK;
}

/* ---- constants ------------------------------------------------------------------------------- */

QbStatus qb_pickle_push_int(PickleVm *vm, size_t n)
{
    uint64_t number;
    QbStatus status = qb_pickle_take_number(&number, vm, n);
    int64_t value =
        n == 4 ? (int32_t)(uint32_t)number : (int64_t)number; /* only BININT is signed */
    return status ? status : qb_pickle_push_kind(vm, PICKLE_INT, value);
}

/* Two's complement of as many bytes as the first one says. */
QbStatus qb_pickle_push_long(PickleVm *vm)
{
    uint64_t n, number;
    QbStatus status = qb_pickle_take_number(&n, vm, 1);
    if (!status && n > 8)
        status = qb_pickle_fail(vm, QB_ERR_LIMIT, "a number has more than 64 bits");
    if (!status)
        status = qb_pickle_take_number(&number, vm, (size_t)n);
    if (status)
        return status;
    if (n && n < 8 && number >> (8 * n - 1))
        number |= UINT64_MAX << (8 * n);
    return qb_pickle_push_kind(vm, PICKLE_INT, (int64_t)number);
}

QbStatus qb_pickle_push_text(PickleVm *vm, size_t length_bytes)
{
    uint64_t length;
    const uint8_t *text;
    QbStatus status = qb_pickle_take_number(&length, vm, length_bytes);
    if (!status)
        status = take_bytes(&text, vm, (size_t)length);
    if (status)
        return status;
    return qb_pickle_push(
        vm,
        (PickleValue){.kind = PICKLE_TEXT, .length = (uint32_t)length, .text = (const char *)text});
}

QbStatus qb_pickle_push_float(PickleVm *vm)
{
    const uint8_t *bytes;
    QbStatus status = take_bytes(&bytes, vm, 8); /* no tensor depends on its value */
    return status ? status : qb_pickle_push_kind(vm, PICKLE_FLOAT, 0);
}

QbStatus qb_pickle_push_global(PickleVm *vm)
{
    const char *module, *name;
    size_t module_length, name_length;
    QbStatus status = take_line(&module, &module_length, vm);
    if (!status)
        status = take_line(&name, &name_length, vm);
    if (status)
        return status;
    const PickleGlobal *global = qb_pickle_find_global(module, module_length, name, name_length);
    if (!global)
        return qb_fail(QB_ERR_UNSUPPORTED, "%s: asks for %.*s.%.*s, which is not a tensor: refused",
                       vm->file, (int)module_length, module, (int)name_length, name);
    if (global->meaning == PICKLE_HARMLESS)
        return qb_pickle_push_kind(vm, PICKLE_OTHER, 0);
    return qb_pickle_push(vm, (PickleValue){.kind = PICKLE_GLOBAL, .global = global});
}
