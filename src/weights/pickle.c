/* pickle.c: runs the pickle of a state dict; see pickle.h. A global is an entry of a table, a call
 * is a rule about its arguments: nothing is looked up, nothing is executed. The dict that is left
 * at the end is read one level deep, so that cycles do no harm. */
// SPDX-License-Identifier: Apache-2.0
#include "weights/pickle_vm.h"

#include "base/error.h"
#include "base/mem.h"

#include <string.h>

/* ---- calls ----------------------------------------------------------------------------------- */

/* Sizes or strides. Their number is limited here, where a tensor is made: one long tuple may be
 * looked at for many tensors. */
static bool is_tuple_of_ints(const PickleVm *vm, PickleValue value)
{
    if (value.kind != PICKLE_TUPLE || vm->objects[value.index].n > QB_CHECKPOINT_MAX_DIMS)
        return false;
    const PickleObject *tuple = &vm->objects[value.index];
    for (size_t i = 0; i < tuple->n; i++)
        if (tuple->items[i].kind != PICKLE_INT)
            return false;
    return true;
}

/* ('storage', class, key, location, number of values), torch/serialization.py persistent_load. */
static QbStatus push_storage(PickleVm *vm)
{
    PickleValue id = {0};
    QbStatus status = qb_pickle_pop(&id, vm);
    if (status)
        return status;
    const PickleObject *tuple = id.kind == PICKLE_TUPLE ? &vm->objects[id.index] : NULL;
    const PickleValue *item = tuple && tuple->n == 5 ? tuple->items : NULL;
    if (!item || item[0].kind != PICKLE_TEXT || item[0].length != 7 ||
        memcmp(item[0].text, "storage", 7) || item[1].kind != PICKLE_GLOBAL ||
        item[1].global->meaning != PICKLE_STORAGE_CLASS || item[2].kind != PICKLE_TEXT ||
        item[3].kind != PICKLE_TEXT || item[4].kind != PICKLE_INT)
        return qb_pickle_fail(vm, QB_ERR_FORMAT, "a persistent id is not one of a storage");
    return qb_pickle_push(vm, (PickleValue){.kind = PICKLE_STORAGE, .index = id.index});
}

/* _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks[, metadata]) */
static QbStatus push_tensor(PickleVm *vm, PickleValue arguments)
{
    const PickleObject *tuple = &vm->objects[arguments.index];
    const PickleValue *item = tuple->n == 6 || tuple->n == 7 ? tuple->items : NULL;
    if (!item || item[0].kind != PICKLE_STORAGE || item[1].kind != PICKLE_INT ||
        !is_tuple_of_ints(vm, item[2]) || !is_tuple_of_ints(vm, item[3]))
        return qb_pickle_fail(vm, QB_ERR_FORMAT,
                              "a tensor is not made of a storage, an offset, and at most 8 "
                              "sizes and strides");
    if (vm->objects[item[2].index].n != vm->objects[item[3].index].n)
        return qb_pickle_fail(vm, QB_ERR_FORMAT, "a tensor has not as many strides as dimensions");
    return qb_pickle_push(vm, (PickleValue){.kind = PICKLE_TENSOR, .index = arguments.index});
}

/* The only argument, or the first of several, which must be of one kind. */
static QbStatus push_argument(PickleVm *vm, PickleValue arguments, PickleKind kind)
{
    const PickleObject *tuple = &vm->objects[arguments.index];
    if (tuple->n == 0 || tuple->items[0].kind != kind)
        return qb_pickle_fail(vm, QB_ERR_FORMAT, "a call has another argument than expected");
    return qb_pickle_push(vm, tuple->items[0]);
}

/* REDUCE and NEWOBJ: what the two topmost values, a global and its arguments, would give. */
static QbStatus call(PickleVm *vm)
{
    PickleValue arguments = {0}, callee = {0};
    QbStatus status = qb_pickle_pop(&arguments, vm);
    if (!status)
        status = qb_pickle_pop(&callee, vm);
    if (status)
        return status;
    if (callee.kind != PICKLE_GLOBAL || arguments.kind != PICKLE_TUPLE)
        return qb_pickle_fail(vm, QB_ERR_UNSUPPORTED,
                              "calls something that is not a function: refused");
    switch (callee.global->meaning) {
    case PICKLE_ORDERED_DICT:
        if (vm->objects[arguments.index].n)
            return qb_pickle_fail(vm, QB_ERR_UNSUPPORTED, "an OrderedDict is not made empty");
        return qb_pickle_make_object(vm, PICKLE_DICT, 0, 0);
    case PICKLE_REBUILD_TENSOR:
        return push_tensor(vm, arguments);
    case PICKLE_REBUILD_PARAMETER:
    case PICKLE_PARAMETER:
        return push_argument(vm, arguments, PICKLE_TENSOR);
    case PICKLE_SIZE:
        return push_argument(vm, arguments, PICKLE_TUPLE);
    case PICKLE_HARMLESS_CALL:
        return qb_pickle_push_kind(vm, PICKLE_OTHER, 0);
    case PICKLE_STORAGE_CLASS:
    case PICKLE_HARMLESS:
        break;
    }
    return qb_fail(QB_ERR_UNSUPPORTED, "%s: data.pkl at byte %zu: calls %s.%s: refused", vm->file,
                   vm->opcode_at, callee.global->module, callee.global->name);
}

/* BUILD gives an OrderedDict attributes (its _metadata), which say nothing of tensors. */
static QbStatus build(PickleVm *vm)
{
    PickleValue state = {0}, object = {0};
    QbStatus status = qb_pickle_pop(&state, vm);
    if (!status)
        status = qb_pickle_peek(&object, vm);
    if (!status && (state.kind != PICKLE_DICT || object.kind != PICKLE_DICT))
        status = qb_pickle_fail(vm, QB_ERR_UNSUPPORTED,
                                "gives attributes to something else than a dict");
    return status;
}

/* ---- running --------------------------------------------------------------------------------- */

/* Numbers, texts, names and what was remembered. Opcodes that are neither here nor in step are
 * refused; among them are all that torch.save never writes. */
static QbStatus push_constant(PickleVm *vm, uint8_t opcode)
{
    switch (opcode) {
    case 'N':
        return qb_pickle_push_kind(vm, PICKLE_NONE, 0);
    case 0x88: /* NEWTRUE */
    case 0x89: /* NEWFALSE */
        return qb_pickle_push_kind(vm, PICKLE_BOOL, opcode == 0x88);
    case 0x8f: /* EMPTY_SET */
        return qb_pickle_push_kind(vm, PICKLE_OTHER, 0);
    case 'J':
        return qb_pickle_push_int(vm, 4);
    case 'K':
        return qb_pickle_push_int(vm, 1);
    case 'M':
        return qb_pickle_push_int(vm, 2);
    case 0x8a: /* LONG1 */
        return qb_pickle_push_long(vm);
    case 'G':
        return qb_pickle_push_float(vm);
    case 'X':
        return qb_pickle_push_text(vm, 4);
    case 'U':
        return qb_pickle_push_text(vm, 1);
    case 'c':
        return qb_pickle_push_global(vm);
    case 'h':
        return qb_pickle_get_memo(vm, 1);
    case 'j':
        return qb_pickle_get_memo(vm, 4);
    default:
        return qb_fail(QB_ERR_UNSUPPORTED,
                       "%s: data.pkl at byte %zu: opcode 0x%02x is none that tensors need: refused",
                       vm->file, vm->opcode_at, opcode);
    }
}

static QbStatus step(PickleVm *vm, uint8_t opcode)
{
    uint64_t version;
    switch (opcode) {
    case 0x80: /* PROTO: what is meant is told by the opcodes */
        return qb_pickle_take_number(&version, vm, 1);
    case '(':
        return qb_pickle_push_kind(vm, PICKLE_MARK, 0);
    case ')':
        return qb_pickle_make_object(vm, PICKLE_TUPLE, 0, 0);
    case 0x85: /* TUPLE1, TUPLE2, TUPLE3 */
    case 0x86:
    case 0x87:
        return qb_pickle_make_tuple(vm, opcode - 0x84u);
    case 't':
        return qb_pickle_make_marked_tuple(vm);
    case ']':
        return qb_pickle_make_object(vm, PICKLE_LIST, 0, 0);
    case '}':
        return qb_pickle_make_object(vm, PICKLE_DICT, 0, 0);
    case 'a':
        return qb_pickle_fill(vm, PICKLE_LIST, 1, 0);
    case 'e':
        return qb_pickle_fill_from_mark(vm, PICKLE_LIST);
    case 's':
        return qb_pickle_fill(vm, PICKLE_DICT, 2, 0);
    case 'u':
        return qb_pickle_fill_from_mark(vm, PICKLE_DICT);
    case 'q':
        return qb_pickle_put_memo(vm, 1);
    case 'r':
        return qb_pickle_put_memo(vm, 4);
    case 'Q':
        return push_storage(vm);
    case 'R':
    case 0x81: /* NEWOBJ */
        return call(vm);
    case 'b':
        return build(vm);
    default:
        return push_constant(vm, opcode);
    }
}

static QbStatus execute(PickleValue *out, PickleVm *vm)
{
    QbStatus status = QB_OK;
    while (!status && vm->at < vm->size) {
        vm->opcode_at = vm->at;
        uint8_t opcode = vm->data[vm->at++];
        if (opcode == '.') {
            status = qb_pickle_pop(out, vm);
            if (!status && vm->n_stack)
                status = qb_pickle_fail(vm, QB_ERR_FORMAT, "values are left over");
            return status;
        }
        status = step(vm, opcode);
    }
    vm->opcode_at = vm->at;
    return status ? status : qb_pickle_fail(vm, QB_ERR_FORMAT, "the pickle ends too early");
}

/* ---- the state dict -------------------------------------------------------------------------- */

static QbStatus tell_tensor(const PickleVm *vm, PickleValue key, PickleValue value,
                            PickleTensorFn tell, void *user)
{
    const PickleValue *item = vm->objects[value.index].items;
    const PickleValue *storage = vm->objects[item[0].index].items;
    const PickleObject *shape = &vm->objects[item[2].index];
    const PickleObject *stride = &vm->objects[item[3].index];
    PickleTensor tensor = {
        .name = key.text,
        .name_length = key.length,
        .key = storage[2].text,
        .key_length = storage[2].length,
        .dtype = storage[1].global->dtype,
        .storage_values = storage[4].number,
        .offset = item[1].number,
        .n_dims = (int)shape->n,
    };
    for (size_t d = 0; d < shape->n; d++) {
        tensor.shape[d] = shape->items[d].number;
        tensor.stride[d] = stride->items[d].number;
    }
    return tell(&tensor, user);
}

static QbStatus read_dict(const PickleVm *vm, PickleValue root, PickleTensorFn tell, void *user)
{
    if (root.kind != PICKLE_DICT)
        return qb_fail(QB_ERR_UNSUPPORTED, "%s: holds something else than a dict of tensors",
                       vm->file);
    const PickleObject *dict = &vm->objects[root.index];
    QbStatus status = QB_OK;
    for (size_t i = 0; i < dict->n && !status; i += 2) {
        PickleValue key = dict->items[i], value = dict->items[i + 1];
        const int shown = key.length < 256 ? (int)key.length : 256;
        if (key.kind != PICKLE_TEXT)
            return qb_fail(QB_ERR_UNSUPPORTED, "%s: a key of its dict is not a text", vm->file);
        if (value.kind == PICKLE_TENSOR)
            status = tell_tensor(vm, key, value, tell, user);
        else if (value.kind == PICKLE_DICT)
            return qb_fail(QB_ERR_UNSUPPORTED,
                           "%s: holds a dict under \"%.*s\"; only a plain state dict can be read, "
                           "so save the inner one by itself",
                           vm->file, shown, key.text);
        else if (value.kind > PICKLE_OTHER)
            return qb_fail(QB_ERR_UNSUPPORTED,
                           "%s: what it holds under \"%.*s\" is neither a tensor nor a number or "
                           "text",
                           vm->file, shown, key.text);
    }
    return status;
}

QbStatus qb_pickle_read(const uint8_t *data, size_t size, const char *file, PickleTensorFn tell,
                        void *user)
{
    PickleVm vm = {.file = file, .data = data, .size = size};
    PickleValue root = {.kind = PICKLE_NONE};
    QbStatus status = execute(&root, &vm);
    if (!status)
        status = read_dict(&vm, root, tell, user);
    for (size_t i = 0; i < vm.n_objects; i++)
        qb_free(vm.objects[i].items);
    qb_free(vm.objects);
    qb_free(vm.stack);
    qb_free(vm.memo);
    return status;
}
