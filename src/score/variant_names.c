/* variant_names.c: the public side of variant.h (<qboost/scorer.h>). */
// SPDX-License-Identifier: Apache-2.0
#include "score/variant.h"

#include <qboost/scorer.h>

const char *qb_variant_name(int index)
{
    const QbVariant *variant = qb_variant_at(index);
    return variant ? variant->name : NULL;
}

const char *qb_variant_help(int index)
{
    const QbVariant *variant = qb_variant_at(index);
    return variant ? variant->help : NULL;
}

bool qb_variant_is_for(int index, const char *architecture)
{
    const QbVariant *variant = qb_variant_at(index);
    return variant && architecture && qb_variant_suits(variant, architecture);
}
