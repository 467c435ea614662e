/* doubt.c: zones whose pixels are not light. A renderer's errors (not a number, infinite, negative)
 * are read as flat black or white, in which no judge can find noise. */
// SPDX-License-Identifier: Apache-2.0
#include "noise/report.h"

#include <math.h>

static const double MOST_UNREAL = 0.01; /* of a zone's pixels: more than stray ones */

void qb_noise_report_doubt(QbNoiseReport *report, const QbLight *light)
{
    QbLightInfo info;
    qb_light_info(&info, light);
    double visibility[QB_NOISE_MAX_ZONES];
    for (int z = 0; z < report->grid.columns * report->grid.rows; z++) {
        QbZoneRect rect = qb_noise_zone_rect(report->grid, info.width, info.height, z);
        int64_t n = qb_light_unreal_count(light, rect.x, rect.y, rect.width, rect.height);
        bool doubtful = (double)n > MOST_UNREAL * rect.width * rect.height;
        visibility[z] = doubtful ? NAN : report->zones[z].visibility;
    }
    qb_noise_report_fill(report, report->grid, visibility);
}
