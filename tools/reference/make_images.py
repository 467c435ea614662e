"""Makes the pictures of tests/golden/images and what Pillow sees in them (expected.csv).

    python3 tools/reference/make_images.py tests/golden/images

Every picture is computed here: gradients, shapes and noise from fixed seeds. Files that Pillow
cannot write (interlaced and 16-bit PNG, odd bitmaps, planar TIFF, float maps) are written byte by
byte. expected.csv has one line a file and decode mode:
    upstream  Pillow's Image.open(f).convert("RGB")
    managed   orientation, ICC profile (ImageCms, perceptual), alpha over white: by numpy and ImageCms
"""
import io
import os
import struct
import subprocess
import sys
import tempfile
import zlib

import numpy as np
from PIL import Image, ImageCms

OUT = sys.argv[1]
WIDTH, HEIGHT = 61, 43          # odd on purpose
WHITE = 255
ROWS = []                       # (file, mode, width, height, crc32)
SRGB = ImageCms.createProfile("sRGB")


# ---- Pictures ------------------------------------------------------------------------------------
def colors(w=WIDTH, h=HEIGHT, seed=1):
    """A gradient with a disc, a bar and some noise: [h, w, 3] u8."""
    y, x = np.mgrid[0:h, 0:w]
    image = np.stack([x * 255 // (w - 1), y * 255 // (h - 1), (x + 2 * y) * 3 % 256], -1)
    disc = (x - w // 3) ** 2 + (y - h // 2) ** 2 < (h // 3) ** 2
    image[disc] = [220, 40, 60]
    image[h // 5:h // 4, w // 2:] = [0, 0, 0]
    noise = np.random.RandomState(seed).randint(-9, 10, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def gray(w=WIDTH, h=HEIGHT):
    return colors(w, h)[..., 1]


def deep(w=WIDTH, h=HEIGHT, n=3):
    """The same with 16 bits."""
    low = np.random.RandomState(2).randint(0, 256, (h, w, n))
    high = colors(w, h)[..., :n] if n <= 3 else np.dstack([colors(w, h), alpha(w, h)])
    return (high.astype(np.uint16) * 256 + low).astype(np.uint16)


def alpha(w=WIDTH, h=HEIGHT):
    y, x = np.mgrid[0:h, 0:w]
    a = (x * 5 + y * 3) % 300
    return np.where(a > 255, 255, np.where(a < 20, 0, a)).astype(np.uint8)


# ---- What a file ought to become -----------------------------------------------------------------
def turn(a, orientation):
    """EXIF: stored pixels to shown pixels."""
    return {1: lambda v: v, 2: np.fliplr, 3: lambda v: np.rot90(v, 2), 4: np.flipud,
            5: lambda v: np.swapaxes(v, 0, 1), 6: lambda v: np.rot90(v, -1),
            7: lambda v: np.rot90(np.swapaxes(v, 0, 1), 2), 8: np.rot90}[orientation](a)


def over_white(rgb, a, full=255):
    rgb, a = rgb.astype(np.uint64), a.astype(np.uint64)[..., None]
    return ((rgb * a + WHITE * (full - a) + full // 2) // full).astype(np.uint8)


def to_8_bits(a):
    return ((a.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)


def to_rgb(a):
    return np.dstack([a] * 3) if a.ndim == 2 else a


def to_srgb(image, profile):
    return np.asarray(ImageCms.profileToProfile(image, profile, SRGB, outputMode="RGB"))


def gray_to_srgb(image, profile):
    """Without lcms2's coarse tables (cmsFLAGS_NOOPTIMIZE)."""
    transform = ImageCms.buildTransform(profile, SRGB, image.mode, "RGB", flags=0x0100)
    return np.asarray(ImageCms.applyTransform(image, transform))


def record(name, mode, pixels):
    a = np.ascontiguousarray(pixels, dtype=np.uint8)
    ROWS.append((name, mode, a.shape[1], a.shape[0], f"{zlib.crc32(a.tobytes()):08x}"))


def add(name, data, managed=None, upstream="pillow"):
    """managed: pixels, or None = the same as upstream. upstream: pixels, or what Pillow sees."""
    with open(os.path.join(OUT, name), "wb") as f:
        f.write(data)
    if isinstance(upstream, str):
        upstream = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    record(name, "upstream", to_rgb(upstream))
    record(name, "managed", to_rgb(upstream if managed is None else managed))


def saved(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def rgb_of(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


# ---- EXIF and ICC --------------------------------------------------------------------------------
def exif(orientation, big=False):
    e = ">" if big else "<"
    head = (b"MM\0*" if big else b"II*\0") + struct.pack(e + "I", 8)
    entries = [struct.pack(e + "HHIHH", 0x0100, 3, 1, 7, 0),
               struct.pack(e + "HHIHH", 0x0112, 3, 1, orientation, 0)]
    return head + struct.pack(e + "H", len(entries)) + b"".join(entries) + b"\0\0\0\0"


def s15(v):
    return struct.pack(">i", round(v * 65536))


def icc(kind, rows=None, gamma=2.2):
    """A version 2 profile: b"RGB " with the rows rXYZ gXYZ bXYZ, or b"GRAY"."""
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    xyz = lambda v: b"XYZ \0\0\0\0" + b"".join(s15(x) for x in v)
    text = b"made for the tests of qboost\0"
    desc = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + b"\0" * 78
    tags = {b"desc": desc, b"cprt": b"text\0\0\0\0public domain\0", b"wtpt": xyz((0.9642, 1.0, 0.8249))}
    if kind == b"GRAY":
        tags[b"kTRC"] = curve
    else:
        for letter, row in zip(b"rgb", rows):
            tags[bytes([letter]) + b"XYZ"] = xyz(row)
            tags[bytes([letter]) + b"TRC"] = curve
    body, table, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        data += b"\0" * (-len(data) % 4)
        table += struct.pack(">4sII", name, at + len(body), len(data))
        body += data
    size = at + len(body)
    head = struct.pack(">I4sI4s4s4s12s4sIIIIQI", size, b"\0\0\0\0", 0x02100000, b"mntr", kind, b"XYZ ",
                       b"\x07\xea\0\x01\0\x01" + b"\0" * 6, b"acsp", 0, 0, 0, 0, 0, 0)
    head += s15(0.9642) + s15(1.0) + s15(0.8249)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


# Display P3's primaries adapted to D50; the same with red and green exchanged.
P3_ROWS = [(0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841)]
P3 = icc(b"RGB ", P3_ROWS)
SWAPPED = icc(b"RGB ", [P3_ROWS[1], P3_ROWS[0], P3_ROWS[2]])
DARK = icc(b"GRAY", gamma=1.0)


def profile(data):
    return ImageCms.ImageCmsProfile(io.BytesIO(data))


# ---- PNG, by hand --------------------------------------------------------------------------------
def png(samples, color_type, depth, interlaced=False, chunks=(), late=()):
    """samples [h, w, n] or [h, w]; chunks stand before the pixels, late ones behind."""
    a = samples if samples.ndim == 3 else samples[..., None]

    def scanlines(part):
        lines = b""
        for row in part:
            flat = row.reshape(-1)
            if depth == 16:
                raw = flat.astype(">u2").tobytes()
            elif depth == 8:
                raw = flat.astype(np.uint8).tobytes()
            else:
                bits = ((flat[:, None] >> np.arange(depth - 1, -1, -1)) & 1).astype(np.uint8)
                raw = np.packbits(bits.reshape(-1)).tobytes()
            lines += b"\0" + raw
        return lines

    if interlaced:
        steps = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
                 (0, 1, 1, 2)]
        parts = [a[y::dy, x::dx] for x, y, dx, dy in steps]
        raw = b"".join(scanlines(p) for p in parts if p.size)
    else:
        raw = scanlines(a)
    chunk = lambda name, data: (struct.pack(">I", len(data)) + name + data +
                                struct.pack(">I", zlib.crc32(name + data)))
    header = struct.pack(">IIBBBBB", a.shape[1], a.shape[0], depth, color_type, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunk(*c) for c in chunks) +
            chunk(b"IDAT", zlib.compress(raw, 9)) + b"".join(chunk(*c) for c in late) +
            chunk(b"IEND", b""))


def iccp(data):
    return b"iCCP", b"test\0\0" + zlib.compress(data)


def palette_16():
    return np.random.RandomState(5).randint(0, 256, (16, 3)).astype(np.uint8)


def make_png():
    rgb, g, a = colors(), gray(), alpha()
    add("rgb8.png", png(rgb, 2, 8))
    add("rgb8_interlaced.png", png(rgb, 2, 8, True))
    add("rgb16.png", png(deep(), 2, 16), managed=to_8_bits(deep()))
    add("gray16.png", png(deep(n=1)[..., 0], 0, 16), managed=to_8_bits(deep(n=1)[..., 0]))
    add("gray8.png", png(g, 0, 8))
    for depth in (1, 2, 4):
        add(f"gray{depth}.png", png(g >> (8 - depth), 0, depth, depth == 2))
    add("gray_alpha8.png", png(np.dstack([g, a]), 4, 8), managed=over_white(to_rgb(g), a))
    rgba = np.dstack([rgb, a])
    add("rgba8.png", png(rgba, 6, 8), managed=over_white(rgb, a))
    d = deep(n=4)
    add("rgba16_interlaced.png", png(d, 6, 16, True),
        managed=over_white(to_8_bits(d[..., :3]), d[..., 3], 65535))
    p = palette_16()
    index = (g >> 4).astype(np.uint8)
    plte = (b"PLTE", p.tobytes())
    add("palette4.png", png(index, 3, 4, True, [plte]))
    add("palette4_missing.png", png(index, 3, 4, False, [(b"PLTE", p[:9].tobytes())]))
    pa = np.array([0, 128, 255, 64] + [255] * 12, np.uint8)
    add("palette8_alpha.png", png(index, 3, 8, False, [plte, (b"tRNS", pa[:4].tobytes())]),
        managed=over_white(p[index], pa[index]))
    add("palette1.png", png(g >> 7, 3, 1, False, [(b"PLTE", p[:2].tobytes())]))
    key = rgb[7, 11]
    matte = np.where((rgb == key).all(-1), 0, 255).astype(np.uint8)
    trns = (b"tRNS", np.array(key, ">u2").tobytes())
    add("rgb8_key.png", png(rgb, 2, 8, False, [trns]), managed=over_white(rgb, matte))
    matte = np.where(g >> 4 == 3, 0, 255).astype(np.uint8)
    add("gray4_key.png", png(g >> 4, 0, 4, False, [(b"tRNS", b"\0\3")]),
        managed=over_white(to_rgb((g >> 4) * 17), matte))
    add("icc.png", png(rgb, 2, 8, False, [iccp(P3)]),
        managed=to_srgb(Image.fromarray(rgb), profile(P3)))
    converted = to_srgb(Image.fromarray(rgb), profile(SWAPPED))
    add("icc_alpha.png", png(rgba, 6, 8, False, [iccp(SWAPPED)]), managed=over_white(converted, a))
    add("icc_gray.png", png(g, 0, 8, False, [iccp(DARK)]),
        managed=gray_to_srgb(Image.fromarray(g), profile(DARK)))
    add("exif6.png", png(rgb, 2, 8, False, [(b"eXIf", exif(6))]), managed=turn(rgb, 6))
    add("exif8_late.png", png(rgb, 2, 8, False, [], [(b"eXIf", exif(8, True))]), managed=turn(rgb, 8))
    add("one.png", png(rgb[:1, :1], 2, 8))
    add("column.png", png(rgb[:, :1], 2, 8, True))


# ---- JPEG ----------------------------------------------------------------------------------------
def make_jpeg():
    image, g = Image.fromarray(colors()), Image.fromarray(gray())
    add("420.jpg", saved(image, "JPEG", quality=85))
    add("444.jpg", saved(image, "JPEG", quality=95, subsampling=0))
    add("422_progressive.jpg", saved(image, "JPEG", quality=60, subsampling=1, progressive=True))
    add("gray.jpg", saved(g, "JPEG", quality=80))
    add("one.jpg", saved(image.crop((0, 0, 1, 1)), "JPEG"))
    add("wide.jpg", saved(Image.fromarray(colors(515, 9)), "JPEG", quality=70))
    for n in range(1, 9):
        data = saved(Image.fromarray(colors(40, 24)), "JPEG", quality=75,
                     exif=b"Exif\0\0" + exif(n, n % 2 == 0))
        add(f"exif{n}.jpg", data, managed=turn(rgb_of(data), n))
    data = saved(image, "JPEG", quality=85, exif=b"Exif\0\0" + exif(99))
    add("exif_bad.jpg", data)
    data = saved(image, "JPEG", quality=90, icc_profile=P3)
    add("icc.jpg", data, managed=to_srgb(Image.open(io.BytesIO(data)), profile(P3)))
    # Large enough for two segments; lcms does not mind bytes behind the profile.
    data = saved(image, "JPEG", quality=90, icc_profile=SWAPPED + b"\0" * 70000)
    add("icc_split.jpg", data, managed=to_srgb(Image.open(io.BytesIO(data)), profile(SWAPPED)))
    data = saved(image, "JPEG", quality=85, icc_profile=P3[:100] + b"\xff" * 300)
    add("icc_damaged.jpg", data)
    srgb = bytearray(ImageCms.ImageCmsProfile(SRGB).tobytes())
    srgb[24:36] = bytes(12)         # the date, or the file would differ every time
    data = saved(image, "JPEG", quality=85, icc_profile=bytes(srgb))
    add("icc_srgb.jpg", data)
    data = saved(g, "JPEG", quality=85, icc_profile=SWAPPED)
    add("icc_rgb_on_gray.jpg", data,
        managed=gray_to_srgb(Image.open(io.BytesIO(data)).convert("RGB"), profile(SWAPPED)))
    cmyk = np.dstack([255 - colors(), gray() // 3])
    add("cmyk.jpg", saved(Image.fromarray(cmyk, "CMYK"), "JPEG", quality=90))


# ---- WebP, GIF -----------------------------------------------------------------------------------
def make_webp():
    rgb, a = colors(), alpha()
    image, with_alpha = Image.fromarray(rgb), Image.fromarray(np.dstack([rgb, a]))
    add("lossy.webp", saved(image, "WEBP", quality=80))
    add("lossless.webp", saved(image, "WEBP", lossless=True))
    for name, options in (("alpha_lossless.webp", {"lossless": True, "exact": True}),
                          ("alpha_lossy.webp", {"quality": 70})):
        data = saved(with_alpha, "WEBP", **options)
        px = np.asarray(Image.open(io.BytesIO(data)))
        add(name, data, managed=over_white(px[..., :3], px[..., 3]))
    data = saved(image, "WEBP", lossless=True, icc_profile=P3)
    add("icc.webp", data, managed=to_srgb(image, profile(P3)))
    data = saved(image, "WEBP", lossless=True, exif=exif(5))
    add("exif5.webp", data, managed=turn(rgb, 5))
    second = Image.fromarray(np.dstack([255 - rgb, a]))
    data = saved(with_alpha, "WEBP", save_all=True, append_images=[second], lossless=True, exact=True)
    px = np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))
    add("animated.webp", data, managed=over_white(px[..., :3], px[..., 3]))


def make_gif():
    rgb = colors()
    small = Image.fromarray(rgb).quantize(32)
    add("interlaced.gif", saved(small, "GIF"))
    add("plain.gif", saved(small, "GIF", interlace=0))
    index = np.asarray(small)
    data = saved(small, "GIF", transparency=int(index[3, 3]))
    px = np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))
    add("transparent.gif", data, managed=over_white(px[..., :3], px[..., 3]))
    add("gray.gif", saved(Image.fromarray(gray()), "GIF"))
    frames = [Image.fromarray(colors(seed=s)).quantize(16) for s in (1, 2, 3)]
    add("animated.gif", saved(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    add("part.gif", *part_gif())


def part_gif():
    """A frame smaller than the screen: the rest is open."""
    rgb = colors()[:20, :30]
    image = Image.fromarray(rgb).quantize(32)
    data = bytearray(saved(image, "GIF", interlace=0))
    data[6:10] = struct.pack("<HH", WIDTH, HEIGHT)
    at = data.index(b",", 13 + 3 * 32)
    data[at + 1:at + 5] = struct.pack("<HH", 7, 5)
    managed = np.full((HEIGHT, WIDTH, 3), WHITE, np.uint8)
    managed[5:25, 7:37] = np.asarray(image.convert("RGB"))
    return bytes(data), managed


# ---- BMP, by hand --------------------------------------------------------------------------------
def bmp(rows, w, h, bits, compression=0, palette=b"", masks=(), header=40, top_down=False, tail=b"",
        extra=None):
    info = struct.pack("<iiHHIIiiII", w, -h if top_down else h, 1, bits, compression, len(rows), 0, 0,
                       len(palette) // 4, 0)
    head = struct.pack("<I", header) + info
    if masks and header == 40:
        head += struct.pack("<3I", *masks[:3])
    elif header > 40:
        head = (head + struct.pack("<4I", *(tuple(masks) + (0, 0, 0, 0))[:4])).ljust(header, b"\0")
    if extra:
        head = extra(head, len(rows) + len(palette))
    if header == 12:
        head = struct.pack("<IHHHH", 12, w, h, 1, bits)
    offset = 14 + len(head) + len(palette)
    return b"BM" + struct.pack("<IHHI", offset + len(rows), 0, 0, offset) + head + palette + rows + tail


def bmp_rows(lines, top_down=False):
    lines = [line + b"\0" * (-len(line) % 4) for line in lines]
    return b"".join(lines if top_down else lines[::-1])


def rle8(index):
    out = b""
    for n, row in enumerate(index[::-1]):
        x = 0
        while x < len(row):
            run = 1
            while x + run < len(row) and run < 255 and row[x + run] == row[x]:
                run += 1
            if run == 1 and n % 2 and x + 5 <= len(row):    # absolute, padded to a word
                out += bytes([0, 5]) + bytes(row[x:x + 5]) + b"\0"
                x += 5
            else:
                out += bytes([run, row[x]])
                x += run
        out += b"\0\0"
    return out[:-2] + b"\0\1"


def make_bmp():
    rgb, g = colors(), gray()
    w, h = WIDTH, HEIGHT
    bgr = rgb[..., ::-1]
    p = palette_16()
    table = np.dstack([p[..., ::-1].reshape(1, 16, 3), np.zeros((1, 16, 1), np.uint8)]).tobytes()
    index = (g >> 4).astype(np.uint8)
    add("rgb24.bmp", bmp(bmp_rows([r.tobytes() for r in bgr]), w, h, 24))
    add("rgb24_top_down.bmp", bmp(bmp_rows([r.tobytes() for r in bgr], True), w, h, 24, top_down=True))
    packed = [np.packbits(((np.pad(r, (0, w % 2))[:, None] >> np.arange(3, -1, -1)) & 1).astype(np.uint8)
                          .reshape(-1)).tobytes() for r in index]
    add("palette4.bmp", bmp(bmp_rows(packed), w, h, 4, palette=table))
    add("palette8.bmp", bmp(bmp_rows([r.tobytes() for r in index]), w, h, 8, palette=table))
    add("palette1.bmp", bmp(bmp_rows([np.packbits(r >> 7).tobytes() for r in g]), w, h, 1,
                            palette=table[:8]))
    add("rle8.bmp", bmp(rle8(index), w, h, 8, 1, palette=table))
    value = rgb.astype(np.uint32)
    w565 = (value[..., 0] >> 3 << 11 | value[..., 1] >> 2 << 5 | value[..., 2] >> 3).astype("<u2")
    w555 = (value[..., 0] >> 3 << 10 | value[..., 1] >> 3 << 5 | value[..., 2] >> 3).astype("<u2")
    add("rgb565.bmp", bmp(bmp_rows([r.tobytes() for r in w565]), w, h, 16, 3,
                          masks=(0xf800, 0x7e0, 0x1f)))
    add("rgb555.bmp", bmp(bmp_rows([r.tobytes() for r in w555]), w, h, 16))
    a = alpha()
    bgra = np.dstack([bgr, a])
    rows = bmp_rows([r.tobytes() for r in bgra])
    add("rgb32.bmp", bmp(rows, w, h, 32))
    add("rgba32_v4.bmp", bmp(rows, w, h, 32, 3, masks=(0xff0000, 0xff00, 0xff, 0xff000000), header=108),
        managed=over_white(rgb, a))
    add("os2.bmp", bmp(bmp_rows([r.tobytes() for r in bgr]), w, h, 24, header=12))

    def with_profile(head, n_bytes):
        head = bytearray(head)
        head[56:60] = struct.pack("<I", 0x4d424544)
        head[112:120] = struct.pack("<II", 124 + n_bytes, len(P3))
        return bytes(head)
    add("icc_v5.bmp", bmp(bmp_rows([r.tobytes() for r in bgr]), w, h, 24, header=124, tail=P3,
                          extra=with_profile), managed=to_srgb(Image.fromarray(rgb), profile(P3)))


# ---- TIFF ----------------------------------------------------------------------------------------
def tiff(strips, tags, big=False):
    """strips: list of bytes. tags: {number: (type, values)}."""
    e = ">" if big else "<"
    tags = dict(tags)
    body = b""
    offsets = []
    for s in strips:
        offsets.append(8 + len(body))
        body += s + b"\0" * (len(s) % 2)
    tiled = 322 in tags
    tags[324 if tiled else 273] = (4, offsets)
    tags[325 if tiled else 279] = (4, [len(s) for s in strips])
    extra, entries = b"", b""
    at = 8 + len(body)
    n_bytes = at + 2 + 12 * len(tags) + 4
    for number in sorted(tags):
        kind, values = tags[number]
        data = (bytes(values) if kind == 7 else
                struct.pack(e + str(len(values)) + {3: "H", 4: "I"}[kind], *values))
        if len(data) > 4:
            entries += struct.pack(e + "HHII", number, kind, len(values), n_bytes + len(extra))
            extra += data + b"\0" * (len(data) % 2)
        else:
            entries += struct.pack(e + "HHI", number, kind, len(values)) + data.ljust(4, b"\0")
    return ((b"MM\0*" if big else b"II*\0") + struct.pack(e + "I", at) + body +
            struct.pack(e + "H", len(tags)) + entries + b"\0\0\0\0" + extra)


def tiff_tags(w, h, bits, photometric, n, rows=None, **more):
    tags = {256: (3, [w]), 257: (3, [h]), 258: (3, [bits] * n), 259: (3, [1]), 262: (3, [photometric]),
            277: (3, [n]), 278: (3, [rows or h])}
    tags.update({int(k[1:]): v for k, v in more.items()})
    return tags


def make_tiff():
    rgb, g, a = colors(), gray(), alpha()
    w, h = WIDTH, HEIGHT
    image = Image.fromarray(rgb)
    add("rgb_lzw.tif", saved(image, "TIFF", compression="tiff_lzw"))
    add("rgb_deflate.tif", saved(image, "TIFF", compression="tiff_adobe_deflate"))
    add("ycbcr_jpeg.tif", saved(image, "TIFF", compression="jpeg"))
    add("gray_packbits.tif", saved(Image.fromarray(g), "TIFF", compression="packbits"))
    add("bilevel_g4.tif", saved(Image.fromarray(g).convert("1"), "TIFF", compression="group4"))
    add("palette.tif", saved(image.quantize(64), "TIFF"))
    cmyk = np.dstack([255 - rgb, g // 3])
    add("cmyk.tif", saved(Image.fromarray(cmyk, "CMYK"), "TIFF"))
    add("icc.tif", saved(image, "TIFF", icc_profile=P3), managed=to_srgb(image, profile(P3)))
    strips = [rgb[y:y + 10].tobytes() for y in range(0, h, 10)]
    for n in (3, 6):
        data = tiff(strips, tiff_tags(w, h, 8, 2, 3, 10, t274=(3, [n])), big=n == 6)
        add(f"orientation{n}.tif", data, managed=turn(rgb, n))
    d = deep()
    add("rgb16_big_endian.tif", tiff([d.astype(">u2").tobytes()], tiff_tags(w, h, 16, 2, 3), True),
        managed=to_8_bits(d))
    g16 = deep(n=1)[..., 0]
    add("gray16.tif", tiff([g16.astype("<u2").tobytes()], tiff_tags(w, h, 16, 1, 1)),
        managed=to_8_bits(g16))
    add("gray4_white.tif", tiff([png_pack(g >> 4, 4)], tiff_tags(w, h, 4, 0, 1)))
    add("rgba.tif", tiff([np.dstack([rgb, a]).tobytes()], tiff_tags(w, h, 8, 2, 4, t338=(3, [2]))),
        managed=over_white(rgb, a))
    wide = a.astype(np.uint32)[..., None]
    pre = (rgb * wide // 255).astype(np.uint8)
    back = np.where(wide > 0, np.minimum(pre.astype(np.uint32) * 255 // np.maximum(wide, 1), 255), 0)
    add("rgba_premultiplied.tif",
        tiff([np.dstack([pre, a]).tobytes()], tiff_tags(w, h, 8, 2, 4, t338=(3, [1]))),
        managed=over_white(back, a))
    planes = [np.ascontiguousarray(rgb[..., c]).tobytes() for c in range(3)]
    add("planar.tif", tiff(planes, tiff_tags(w, h, 8, 2, 3, t284=(3, [2]))))
    padded = np.zeros((48, 64, 3), np.uint8)
    padded[:h, :w] = rgb
    tiles = [padded[y:y + 16, x:x + 32].tobytes() for y in range(0, 48, 16) for x in (0, 32)]
    tags = tiff_tags(w, h, 8, 2, 3, t322=(3, [32]), t323=(3, [16]))
    del tags[278]
    add("tiled.tif", tiff(tiles, tags))
    linear = np.linspace(-0.1, 1.2, w * h * 3).reshape(h, w, 3).astype(np.float32)
    want = encode_srgb(linear)
    add("float.tif", tiff([linear.astype("<f4").tobytes()],
                          tiff_tags(w, h, 32, 2, 3, t339=(3, [3, 3, 3]))), upstream=want)
    add("ycbcr.tif", tiff([zlib.compress(ycbcr_blocks(rgb))],
                          tiff_tags(60, 42, 8, 6, 3, t259=(3, [8]), t530=(3, [2, 2]))))


def png_pack(a, depth):
    rows = []
    for row in a:
        bits = ((row[:, None] >> np.arange(depth - 1, -1, -1)) & 1).astype(np.uint8)
        rows.append(np.packbits(bits.reshape(-1)).tobytes())
    return b"".join(rows)


def ycbcr_blocks(rgb):
    """Blocks of 2 x 2: four Y, one Cb, one Cr (TIFF 6.0 section 21)."""
    ycc = np.asarray(Image.fromarray(rgb[:42, :60]).convert("YCbCr"))
    out = bytearray()
    for y in range(0, 42, 2):
        for x in range(0, 60, 2):
            out += bytes([*ycc[y, x:x + 2, 0], *ycc[y + 1, x:x + 2, 0], ycc[y, x, 1], ycc[y, x, 2]])
    return bytes(out)


# ---- PNM and PFM ---------------------------------------------------------------------------------
def encode_srgb(linear):
    v = np.clip(np.nan_to_num(linear.astype(np.float64), nan=0.0, posinf=1.0, neginf=0.0), 0, 1)
    v = np.where(v <= 0.0031308, 12.92 * v, 1.055 * v ** (1 / 2.4) - 0.055)
    return (v * 255 + 0.5).astype(np.uint8)


def make_pnm():
    rgb, g = colors(), gray()
    w, h = WIDTH, HEIGHT
    text = lambda a: b"\n".join(b" ".join(str(v).encode() for v in row.reshape(-1)) for row in a) + b"\n"
    size = b"%d %d\n" % (w, h)
    add("raw.ppm", b"P6\n# a comment\n" + size + b"255\n" + rgb.tobytes())
    add("raw.pgm", b"P5 " + size + b"255\n" + g.tobytes())
    add("plain.ppm", b"P3\n" + size + b"255\n" + text(rgb))
    add("plain.pgm", b"P2\n" + size + b"#x\n15\n" + text(g >> 4))
    add("raw.pbm", b"P4\n" + size + b"".join(np.packbits(r >> 7).tobytes() for r in g))
    add("plain.pbm", b"P1\n" + size + b"".join(b"%d" % (v >> 7) for v in g.reshape(-1)))
    d, g16 = deep(), deep(n=1)[..., 0]
    add("deep.ppm", b"P6\n" + size + b"65535\n" + d.astype(">u2").tobytes(), managed=to_8_bits(d))
    add("deep.pgm", b"P5\n" + size + b"65535\n" + g16.astype(">u2").tobytes(), managed=to_8_bits(g16))
    scale = lambda a, full: np.rint(a / 1000 * full).astype(np.uint16)
    add("max1000.ppm", b"P6\n" + size + b"1000\n" + (d % 1001).astype(">u2").tobytes(),
        managed=to_8_bits(scale(d % 1001, 65535)))
    linear = np.linspace(-0.2, 1.3, w * h * 3).reshape(h, w, 3).astype(np.float32)
    linear[0, 0] = [np.nan, np.inf, -np.inf]
    add("little.pfm", b"PF\n" + size + b"-1.0\n" + linear[::-1].astype("<f4").tobytes(),
        upstream=encode_srgb(linear))
    add("big_gray.pfm", b"Pf\n" + size + b"1.0\n" + linear[::-1, :, 1].astype(">f4").tobytes(),
        upstream=to_rgb(encode_srgb(linear[..., 1])))


# ---- Formats of the modules, written by their libraries' own programs ------------------------------
def encoded(source, suffix, command):
    """What command makes of a PNG file; {in} and {out} stand for the names."""
    with tempfile.TemporaryDirectory() as folder:
        names = {"in": os.path.join(folder, "in.png"), "out": os.path.join(folder, "out" + suffix)}
        with open(names["in"], "wb") as f:
            f.write(source)
        subprocess.run([part.format(**names) for part in command], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(names["out"], "rb") as f:
            return f.read()


def make_modules():
    rgb, a = colors(60, 42), alpha(60, 42)
    d = deep(60, 42)
    avif = ["avifenc", "--lossless", "-j", "1", "{in}", "{out}"]
    jxl = ["cjxl", "{in}", "{out}", "-d", "0", "-e", "3"]
    plain, with_alpha = png(rgb, 2, 8), png(np.dstack([rgb, a]), 6, 8)
    with_icc = png(rgb, 2, 8, False, [iccp(P3)])
    p3 = to_srgb(Image.fromarray(rgb), profile(P3))
    for kind, command in ((".avif", avif), (".jxl", jxl)):
        add("rgb" + kind, encoded(plain, kind, command), upstream=rgb)
        add("rgba" + kind, encoded(with_alpha, kind, command), upstream=rgb, managed=over_white(rgb, a))
        add("icc" + kind, encoded(with_icc, kind, command), upstream=rgb, managed=p3)
    add("rgb16.jxl", encoded(png(d, 2, 16), ".jxl", jxl), upstream=to_8_bits(d), managed=to_8_bits(d))
    turned = ["avifenc", "--lossless", "-j", "1", "--irot", "1", "{in}", "{out}"]
    add("irot1.avif", encoded(plain, ".avif", turned), upstream=rgb, managed=np.rot90(rgb))
    # Lossy: the tests compare with the source, within a bound.
    for name, source, options in (("rgb.heic", plain, ["-q", "95"]), ("alpha.heic", with_alpha, ["-q", "95"])):
        with open(os.path.join(OUT, name), "wb") as f:
            f.write(encoded(source, ".heic", ["heif-enc", *options, "-p", "chroma=444", "{in}", "-o", "{out}"]))


def main():
    os.makedirs(OUT, exist_ok=True)
    for make in (make_png, make_jpeg, make_webp, make_gif, make_bmp, make_tiff, make_pnm, make_modules):
        make()
    with open(os.path.join(OUT, "expected.csv"), "w", encoding="ascii") as f:
        f.write("file,mode,width,height,crc32\n")
        for row in sorted(ROWS):
            f.write(",".join(str(v) for v in row) + "\n")


main()
