#!/bin/sh
# check_layers.sh: fails when a file includes what docs/layers.txt does not allow its folder to include.
# SPDX-License-Identifier: Apache-2.0
set -eu
cd "$(dirname "$0")/.."
grep -nE '^#include +["<]' $(git ls-files 'src/*.[ch]' 'src/**/*.[ch]' 'cli/*.[ch]' 'cli/**/*.[ch]') | awk -F '[:"<>]' '
BEGIN {
    while ((getline line < "docs/layers.txt") > 0) {
        if (line ~ /^#/ || line !~ /:/) continue
        split(line, part, ":"); n = split(part[2], dep, " ")
        known[part[1]] = 1; allowed[part[1], part[1]] = 1
        for (i = 1; i <= n; i++) allowed[part[1], dep[i]] = 1
    }
}
{
    file = $1; target = $4; quoted = ($0 ~ /#include +"/)
    split(file, path, "/"); split(target, to, "/"); top = to[1]
    layer = path[1] == "src" ? path[2] : path[3] == "" ? path[1] : path[1] "/" path[2]
    if (path[1] == "cli") top = "cli/" top
    if (!(layer in known)) why = "is in a folder that docs/layers.txt does not name"
    else if (target ~ /\.c$/) why = "includes a .c file"
    else if (target ~ /\.\.\//) why = "includes through ../"
    else if (quoted && !((layer, top) in allowed)) why = "may not include " top
    else if (!quoted && third_party(target) && !((layer, target) in allowed)) why = "may not include <" target ">"
    else why = ""
    if (why != "") { printf "%s:%s: %s\n", file, $2, why; bad = 1 }
}
function third_party(name) {
    return name ~ /^(jpeglib|png|webp\/|tiff|gif_lib|avif\/|libheif\/|jxl\/|lcms2|csv|libexif\/|jansson|xxhash|libav|libsw|svm|libsvm\/|OpenEXR\/)/
}
END { exit bad }
'
