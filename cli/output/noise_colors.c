/* noise_colors.c: see noise_colors.h. The scale of errors is a line through a few colours in OKLab
 * (B. Ottosson 2020, https://bottosson.github.io/posts/oklab), whose lightness is what is seen. */
// SPDX-License-Identifier: Apache-2.0
#include "output/noise_colors.h"

#include "output/caption.h"

#include <math.h>

void noise_color(uint8_t color[3], double noise)
{
    caption_color(color, 0.5 * (1 - fmin(fmax(noise, 0), 1)));
}

/* Lightness, green to red, blue to yellow: black, violet, magenta, orange, pale yellow. */
static const double anchors[][3] = {{0.06, 0.000, -0.010},
                                    {0.29, 0.055, -0.130},
                                    {0.52, 0.170, -0.045},
                                    {0.75, 0.100, 0.115},
                                    {0.98, -0.030, 0.085}};
enum { LAST = sizeof anchors / sizeof *anchors - 1 };

static uint8_t encode(double linear)
{
    double x = fmin(fmax(linear, 0), 1);
    x = x <= 0.0031308 ? 12.92 * x : 1.055 * pow(x, 1 / 2.4) - 0.055;
    return (uint8_t)(x * 255 + 0.5);
}

void error_color(uint8_t color[3], double error)
{
    double at = fmin(fmax(error, 0), 1) * LAST, lab[3];
    int i = at < LAST ? (int)at : LAST - 1;
    for (int c = 0; c < 3; c++)
        lab[c] = anchors[i][c] + (at - i) * (anchors[i + 1][c] - anchors[i][c]);
    double l = pow(lab[0] + 0.3963377774 * lab[1] + 0.2158037573 * lab[2], 3);
    double m = pow(lab[0] - 0.1055613458 * lab[1] - 0.0638541728 * lab[2], 3);
    double s = pow(lab[0] - 0.0894841775 * lab[1] - 1.2914855480 * lab[2], 3);
    color[0] = encode(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s);
    color[1] = encode(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s);
    color[2] = encode(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s);
}
