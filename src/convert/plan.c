/* plan.c: see plan.h. */
// SPDX-License-Identifier: Apache-2.0
#include "convert/plan.h"

#include "base/error.h"
#include "base/mem.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

enum { MAX_NAME = 256, MAX_TENSORS = 1 << 16 };

void qb_plan_deinit(QbPlan *plan)
{
    qb_free(plan->tensors);
    *plan = (QbPlan){0};
}

void qb_shape_text(char *out, size_t size, const int64_t *shape, int n_dims)
{
    size_t used = (size_t)snprintf(out, size, "[");
    for (int i = 0; i < n_dims && used < size; i++)
        used +=
            (size_t)snprintf(out + used, size - used, "%s%lld", i ? ", " : "", (long long)shape[i]);
    if (used < size)
        snprintf(out + used, size - used, "]");
}

bool qb_checkpoint_has_prefix(const QbCheckpoint *checkpoint, const char *prefix, const char *rest)
{
    size_t length = strlen(prefix), rest_length = strlen(rest);
    for (int i = 0; i < qb_checkpoint_tensor_count(checkpoint); i++) {
        const char *name = qb_checkpoint_tensor_at(checkpoint, i)->name;
        if (!strncmp(name, prefix, length) && !strncmp(name + length, rest, rest_length))
            return true;
    }
    return false;
}

/* prefix and pattern with %d replaced by the layer. The patterns are ours and fit. */
static void make_name(char *out, size_t size, const char *prefix, const char *pattern, int layer)
{
    const char *slot = strstr(pattern, "%d");
    if (slot)
        snprintf(out, size, "%s%.*s%d%s", prefix, (int)(slot - pattern), pattern, layer, slot + 2);
    else
        snprintf(out, size, "%s%s", prefix, pattern);
}

static bool is_float(QbDtype dtype)
{
    return dtype == QB_DTYPE_F32 || dtype == QB_DTYPE_F16 || dtype == QB_DTYPE_BF16 ||
           dtype == QB_DTYPE_F64;
}

static QbStatus check_source(const QbPlan *plan, const QbCheckpointTensor *source,
                             const QbRule *rule)
{
    int64_t want[QB_TENSOR_MAX_DIMS];
    int n = 0, lead = 0;
    for (; n < QB_TENSOR_MAX_DIMS && rule->shape[n]; n++)
        want[n] = plan->dim[rule->shape[n]];
    while (lead < source->n_dims - n && source->shape[lead] == 1)
        lead++;
    if (source->n_dims - lead != n ||
        memcmp(source->shape + lead, want, (size_t)n * sizeof *want)) {
        char got[128], expected[128];
        qb_shape_text(got, sizeof got, source->shape, source->n_dims);
        qb_shape_text(expected, sizeof expected, want, n);
        return qb_fail(QB_ERR_FORMAT, "%s: tensor %s is %s, expected %s", source->file,
                       source->name, got, expected);
    }
    if (source->repeats)
        return qb_fail(QB_ERR_UNSUPPORTED,
                       "%s: tensor %s has %lld values, which are copies of fewer in the file "
                       "(torch's expand); save it with contiguous()",
                       source->file, source->name, (long long)source->n_values);
    if (!is_float(source->dtype))
        return qb_fail(QB_ERR_UNSUPPORTED,
                       "%s: tensor %s is %s, expected f16, bf16 or f32 (quantised checkpoints "
                       "cannot be converted)",
                       source->file, source->name, qb_dtype_name(source->dtype));
    return QB_OK;
}

static QbStatus add_tensor(QbPlan *plan, const QbRuleSet *set, const QbRule *rule,
                           const QbCheckpointTensor *source, int layer)
{
    if (plan->n == plan->capacity) {
        int grown = 2 * plan->capacity + 64;
        size_t each = sizeof *plan->tensors;
        if (grown > MAX_TENSORS)
            return qb_fail(QB_ERR_LIMIT, "%s: more than %d tensors", plan->folder, plan->n);
        QbPlanTensor *block =
            qb_realloc(plan->tensors, (size_t)plan->n * each, (size_t)grown * each);
        if (!block)
            return QB_ERR_NOMEM;
        plan->tensors = block;
        plan->capacity = grown;
    }
    QbPlanTensor *t = &plan->tensors[plan->n++];
    bool fused = rule->order >= QB_ROWS_FUSED_QUERY;
    *t = (QbPlanTensor){.from = set->from, .source = source, .order = rule->order};
    make_name(t->name, sizeof t->name, "", rule->target, layer);
    t->head_rows = fused ? plan->tower_head_dim : plan->head_dim;
    while (t->n_dims < QB_TENSOR_MAX_DIMS && rule->shape[t->n_dims])
        t->n_dims++;
    for (int i = 0; i < t->n_dims; i++)
        t->ne[i] = plan->dim[rule->shape[t->n_dims - 1 - i]];
    if (fused)
        t->ne[t->n_dims - 1] /= 3;
    t->columns = t->n_dims > 1 ? t->ne[0] : 1;
    t->rows = t->ne[t->n_dims - 1];
    for (int i = 1; i < t->n_dims - 1; i++)
        t->rows *= t->ne[i];
    t->type = qb_storage_type(plan->storage, rule->role, t->columns);
    return QB_OK;
}

static QbStatus apply_rule(QbPlan *plan, const QbRuleSet *set, const QbRule *rule, int layer)
{
    char name[MAX_NAME];
    make_name(name, sizeof name, set->prefix, rule->source, layer);
    const QbCheckpointTensor *source = qb_checkpoint_find(set->from, name);
    if (!source && (rule->flags & QB_RULE_OPTIONAL))
        return QB_OK;
    if (!source)
        return qb_fail(QB_ERR_FORMAT, "%s: tensor %s is missing", plan->folder, name);
    QbStatus status = check_source(plan, source, rule);
    return status ? status : add_tensor(plan, set, rule, source, layer);
}

QbStatus qb_plan_apply(QbPlan *plan, const QbRuleSet *set)
{
    if (plan->n_sets == (int)(sizeof plan->sets / sizeof *plan->sets))
        return qb_fail(QB_ERR_LIMIT, "%s: too many tables of names", plan->folder);
    plan->sets[plan->n_sets++] = *set;
    QbStatus status = QB_OK;
    for (int layer = 0; layer < (set->n_layers ? set->n_layers : 1); layer++)
        for (int i = 0; i < set->n_rules && !status; i++)
            status = apply_rule(plan, set, &set->rules[i], layer);
    return status;
}

static bool set_ignores(const QbRuleSet *set, const char *name)
{
    size_t length = strlen(set->prefix);
    if (strncmp(name, set->prefix, length))
        return false;
    for (const char *const *pattern = set->ignored; pattern && *pattern; pattern++)
        if (!fnmatch(*pattern, name + length, 0))
            return true;
    char known[MAX_NAME];
    for (int layer = set->n_layers; layer < set->n_layers + set->n_skipped; layer++)
        for (int i = 0; i < set->n_rules; i++) {
            make_name(known, sizeof known, "", set->rules[i].source, layer);
            if (!strcmp(known, name + length))
                return true;
        }
    return false;
}

QbStatus qb_plan_check_leftovers(const QbPlan *plan, const QbCheckpoint *checkpoint)
{
    for (int i = 0; i < qb_checkpoint_tensor_count(checkpoint); i++) {
        const QbCheckpointTensor *tensor = qb_checkpoint_tensor_at(checkpoint, i);
        bool known = false;
        for (int j = 0; j < plan->n && !known; j++)
            known = plan->tensors[j].source == tensor;
        for (int j = 0; j < plan->n_sets && !known; j++)
            known = plan->sets[j].from == checkpoint && set_ignores(&plan->sets[j], tensor->name);
        if (!known)
            return qb_fail(QB_ERR_UNSUPPORTED,
                           "%s: tensor %s is not known; a conversion without it could be wrong",
                           tensor->file, tensor->name);
    }
    return QB_OK;
}
