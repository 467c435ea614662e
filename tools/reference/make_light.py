"""Makes the pictures of linear light in tests/golden/images (exr_*, hdr_*) and what must be read of
them (expected_light.csv).

    python3 tools/reference/make_light.py tests/golden/images

Needs the packages OpenEXR (3.5) and NumPy, and blender (3.4) in the path. OpenEXR files are written by
the OpenEXR package or by Blender and read again by the OpenEXR package; Radiance files are written
byte by byte, but for Blender's, and read by the formula m * 2^(e - 136).
"""
import os
import struct
import subprocess
import sys
import tempfile
import zlib

import numpy as np
import OpenEXR as exr

OUT = sys.argv[1]
WIDTH, HEIGHT = 37, 35          # odd on purpose: no whole tiles, blocks or chunks
ROWS = []
BLENDER = """
import bpy
scene = bpy.context.scene
scene.render.engine = 'CYCLES'
scene.cycles.device, scene.cycles.samples, scene.cycles.use_denoising = 'CPU', 8, False
scene.render.resolution_x, scene.render.resolution_y = 32, 24
scene.render.resolution_percentage = 100
scene.view_layers[0].use_pass_normal = True
scene.view_layers[0].use_pass_z = False
settings = scene.render.image_settings
for name, kind, depth, codec in (
        ('exr_blender_single.exr', 'OPEN_EXR', '16', 'ZIP'),
        ('exr_blender_b44a.exr', 'OPEN_EXR', '16', 'B44A'),
        ('exr_blender_layers.exr', 'OPEN_EXR_MULTILAYER', '32', 'PIZ'),
        ('exr_blender_dwaa.exr', 'OPEN_EXR', '16', 'DWAA'),
        ('hdr_blender.hdr', 'HDR', None, None)):
    settings.file_format = kind
    if depth:
        settings.color_depth, settings.exr_codec = depth, codec
    scene.render.filepath = 'FOLDER/' + name
    bpy.ops.render.render(write_still=True)
"""


# ---- Pictures and what they become ---------------------------------------------------------------
def light(width=WIDTH, height=HEIGHT, seed=1):
    """A gradient over twelve stops in steps (so that packing pays), a lamp, and a corner of noise with
    all its bits: [h, w, 3] f32, finite and >= 0."""
    y, x = np.mgrid[0:height, 0:width]
    base = np.exp2(12 * (x // 3) * 3 / (width - 1) - 9)
    image = np.stack([base, base * (0.3 + y // 8), base * 0.5 * seed], -1)
    image[(x - width // 3) ** 2 + (y - height // 2) ** 2 < 20] = [90, 70, 40]
    image[-12:, -10:] *= np.random.RandomState(seed).gamma(2, 0.5, image[-12:, -10:].shape)
    return image.astype(np.float32)


def cleaned(rgb):
    nan, negative, infinite = np.isnan(rgb), rgb < 0, np.isposinf(rgb)
    finite = rgb[np.isfinite(rgb)]
    rgb = np.where(infinite, max(finite.max(), 0) if finite.size else 0, rgb)
    rgb = np.where(nan | negative, 0, rgb).astype(np.float32)
    return rgb, nan.sum(), infinite.sum(), negative.sum()


def expect(name, rgb, layer="", missing="", samples=0):
    """rgb: float32, as the reference reads it."""
    rgb, nan, infinite, negative = cleaned(np.ascontiguousarray(rgb, np.float32))
    crc = zlib.crc32(rgb.astype("<f4").tobytes())
    ROWS.append(f"{name},{layer},{rgb.shape[1]},{rgb.shape[0]},{missing},{samples},{nan},{infinite},"
                f"{negative},{crc:08x}")


# ---- OpenEXR -------------------------------------------------------------------------------------
def read_exr(name, prefix="", part=0):
    """[h, w, 3] f32 of channels prefix + R, G, B (absent = 0), or of Y."""
    found = exr.File(os.path.join(OUT, name), separate_channels=True).parts[part].channels
    shape = next(iter(found.values())).pixels.shape
    if prefix + "Y" in found and prefix + "R" not in found:
        return np.repeat(found[prefix + "Y"].pixels.astype(np.float32)[..., None], 3, -1)
    zero = np.zeros(shape, np.float32)
    return np.stack([found[prefix + c].pixels.astype(np.float32) if prefix + c in found else zero
                     for c in "RGB"], -1)


def planes(rgb, kind, names="RGB", prefix=""):
    return {prefix + n: np.ascontiguousarray(rgb[..., "RGB".index(n)].astype(kind)) for n in names}


def write_exr(name, channels, compression=exr.ZIP_COMPRESSION, **header):
    header = {"compression": compression, "type": exr.scanlineimage, **header}
    exr.File(header, channels).write(os.path.join(OUT, name))
    return name


def window(x, y, width, height):
    return (np.array([x, y], np.int32), np.array([x + width - 1, y + height - 1], np.int32))


def tiles(width, height, mode=exr.ONE_LEVEL):
    description = exr.TileDescription()
    description.xSize, description.ySize, description.mode = width, height, mode
    return description


def make_compressions():
    half, real = np.float16, np.float32
    for name, compression in (("none", exr.NO_COMPRESSION), ("rle", exr.RLE_COMPRESSION),
                              ("zips", exr.ZIPS_COMPRESSION), ("zip", exr.ZIP_COMPRESSION),
                              ("piz", exr.PIZ_COMPRESSION), ("pxr24", exr.PXR24_COMPRESSION),
                              ("b44", exr.B44_COMPRESSION), ("b44a", exr.B44A_COMPRESSION)):
        for kind, word in ((half, "half"), (real, "float")):
            if kind is real and name not in ("none", "zip", "piz", "pxr24", "b44"):
                continue
            file = write_exr(f"exr_{word}_{name}.exr", planes(light(), kind), compression)
            expect(file, read_exr(file))


def make_dwa():
    """Lossy, and not to the bit: what the package reads is written beside, as read_*.exr."""
    half, real = np.float16, np.float32
    write_exr("exr_half_dwaa.exr", planes(light(), half), exr.DWAA_COMPRESSION)
    write_exr("exr_float_dwab.exr", planes(light(), real), exr.DWAB_COMPRESSION)
    write_exr("exr_gray_dwaa.exr", {"Y": np.ascontiguousarray(light()[..., 1]).astype(half)}, exr.DWAA_COMPRESSION)
    shapes = np.where(light()[..., 0] > 0.1, 1, 0.25)
    whole = (light() * 100).astype(np.uint32)
    write_exr("exr_mixed_dwab.exr",
              {**planes(light(seed=3), half), **planes(light(seed=2), real, prefix="diffuse."),
               "A": shapes.astype(half), "diffuse.A": shapes.astype(real), "Z": light()[..., 2].copy(),
               **planes(whole, np.uint32, prefix="ids.")}, exr.DWAB_COMPRESSION)
    write_exr("exr_tiled_dwaa.exr", planes(light(), half), exr.DWAA_COMPRESSION, type=exr.tiledimage,
              tiles=tiles(16, 12))
    expect("exr_mixed_dwab.exr", read_exr("exr_mixed_dwab.exr", "ids."), layer="ids")
    for name, prefix in (("exr_half_dwaa", ""), ("exr_float_dwab", ""), ("exr_gray_dwaa", ""),
                         ("exr_mixed_dwab", ""), ("exr_mixed_dwab", "diffuse."), ("exr_tiled_dwaa", ""),
                         ("exr_blender_dwaa", "")):
        rgb = read_exr(name + ".exr", prefix)
        write_exr(f"read_{name[4:]}{'_' + prefix[:-1] if prefix else ''}.exr", planes(rgb, real))


def make_layouts():
    half, real = np.float16, np.float32
    whole = (light() * 100).astype(np.uint32)
    file = write_exr("exr_uint_zips.exr", planes(whole, np.uint32), exr.ZIPS_COMPRESSION)
    expect(file, read_exr(file))
    mixed = {**planes(light(), half, "R"), **planes(light(), real, "G"),
             "B": whole[..., 2].copy(), "A": np.ones((HEIGHT, WIDTH), half)}
    file = write_exr("exr_mixed_piz.exr", mixed, exr.PIZ_COMPRESSION)
    expect(file, read_exr(file))
    for name, kind, compression in (("zip", half, exr.ZIP_COMPRESSION), ("piz", real, exr.PIZ_COMPRESSION),
                                    ("none", half, exr.NO_COMPRESSION)):
        file = write_exr(f"exr_tiled_{name}.exr", planes(light(), kind), compression,
                         type=exr.tiledimage, tiles=tiles(16, 12))
        expect(file, read_exr(file))
    file = write_exr("exr_window.exr", planes(light(), half), dataWindow=window(-5, 7, WIDTH, HEIGHT),
                     displayWindow=window(0, 0, 64, 48))
    expect(file, read_exr(file))
    file = write_exr("exr_gray.exr", {"Y": np.ascontiguousarray(light()[..., 1]).astype(half),
                                      "A": np.ones((HEIGHT, WIDTH), half)})
    expect(file, read_exr(file))
    file = write_exr("exr_no_blue.exr", planes(light(), half, "RG"))
    expect(file, read_exr(file), missing="B")
    file = write_exr("exr_dark.exr", planes(light() * 0, half))
    expect(file, read_exr(file))
    odd = light()
    odd[3, 4] = [np.nan, np.inf, -np.inf]
    odd[5, 6] = [-1, np.inf, 2]
    odd[7, 8] = [-0.0, 1e-40, 3e38]
    file = write_exr("exr_odd_values.exr", planes(odd, real))
    expect(file, read_exr(file))


def make_layers():
    half = np.float16
    a, b, c = light(seed=1), light(seed=2), light(seed=3)
    channels = {**planes(a, half, prefix="diffuse."), **planes(b, half, prefix="View.Combined."),
                **{"View.Normal." + n: np.ones((HEIGHT, WIDTH), half) for n in "XYZ"}}
    file = write_exr("exr_layers.exr", channels)
    expect(file, read_exr(file, "View.Combined."))
    expect(file, read_exr(file, "diffuse."), layer="diffuse")
    file = write_exr("exr_layers_plain.exr", {**channels, **planes(c, half)})
    expect(file, read_exr(file))
    expect(file, read_exr(file, "View.Combined."), layer="View.Combined")
    depth = {"Z": np.ones((12, 20), np.float32)}
    shown = {"displayWindow": window(0, 0, WIDTH, HEIGHT), "type": exr.scanlineimage}
    parts = [exr.Part({**shown, "compression": exr.ZIP_COMPRESSION}, depth, "depth"),
             exr.Part({**shown, "compression": exr.PIZ_COMPRESSION, "type": exr.tiledimage,
                       "tiles": tiles(16, 16)}, planes(b, half, prefix="indirect."), "second"),
             exr.Part({**shown, "compression": exr.ZIP_COMPRESSION}, planes(a, half), "beauty")]
    exr.File(parts).write(os.path.join(OUT, "exr_parts.exr"))
    expect("exr_parts.exr", read_exr("exr_parts.exr", part=2))
    expect("exr_parts.exr", read_exr("exr_parts.exr", part=2), layer="beauty")
    expect("exr_parts.exr", read_exr("exr_parts.exr", "indirect.", part=1), layer="indirect")


def make_refused():
    """Files that are read only as far as to say why not."""
    write_exr("exr_depth_only.exr", {"Z": np.ones((12, 20), np.float32)})
    zero = np.zeros((4, 4), np.float16)
    path = os.path.join(OUT, write_exr("exr_chroma.exr", {"Y": zero + 1, "RY": zero, "BY": zero}))
    data = open(path, "rb").read()
    for name in (b"RY", b"BY"):     # the package does not write subsampled channels: the header says so
        at = data.index(name + b"\0") + 3 + 8
        data = data[:at] + struct.pack("<ii", 2, 2) + data[at + 8:]
    open(path, "wb").write(data)
    path = os.path.join(OUT, write_exr("exr_deep.exr", planes(light(4, 4), np.float16), exr.ZIPS_COMPRESSION))
    data = open(path, "rb").read()
    kind = b"type\0string\0" + struct.pack("<i", 13) + b"scanlineimage"
    deep = b"".join(name + b"\0int\0" + struct.pack("<ii", 4, value) for name, value in (
        (b"version", 1), (b"maxSamplesPerPixel", 1), (b"chunkCount", 4)))
    deep += b"type\0string\0" + struct.pack("<i", 12) + b"deepscanline"
    data = data[:5] + bytes([data[5] | 8]) + data[6:].replace(kind, deep)     # nor deep ones
    open(path, "wb").write(data)


def make_primaries():
    """ACES 2065-1 (AP0, white at D60); what is expected is computed here in double precision, with a
    tolerance in the test, not by a checksum."""
    xy = (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, 0.32168, 0.33767)
    write_exr("exr_aces.exr", planes(light(), np.float32), chromaticities=xy)

    def to_xyz(xy):
        columns = np.array([[xy[i], xy[i + 1], 1 - xy[i] - xy[i + 1]] for i in (0, 2, 4)]).T
        white = np.array([xy[6] / xy[7], 1, (1 - xy[6] - xy[7]) / xy[7]])
        return columns * np.linalg.solve(columns, white), white
    aces, white = to_xyz(xy)
    srgb, d65 = to_xyz((0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290))
    cones = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    adapt = np.linalg.inv(cones) @ np.diag(cones @ d65 / (cones @ white)) @ cones
    matrix = np.linalg.inv(srgb) @ adapt @ aces
    print("AP0 to sRGB:", ", ".join(f"{v:.9f}" for v in matrix.ravel()))


# ---- Radiance ------------------------------------------------------------------------------------
def rgbe(rgb):
    """[h, w, 4] u8: mantissas cut off, as Walter's rgbe.c writes them."""
    largest = rgb.max(-1)
    exponent = np.frexp(largest)[1]
    scaled = np.floor(rgb * np.exp2(8.0 - exponent)[..., None]).astype(np.uint8)
    coded = np.dstack([scaled, (exponent + 128).astype(np.uint8)])
    coded[largest < 1e-32] = 0
    return coded


def from_rgbe(coded, gain=1.0):
    step = np.where(coded[..., 3:] > 0, np.exp2(coded[..., 3:].astype(np.float64) - 136), 0)
    return (coded[..., :3] * step * gain).astype(np.float32)


def new_runs(line):
    """Ward's newer scheme: each component by itself."""
    out = struct.pack(">BBH", 2, 2, len(line))
    for c in range(4):
        values, x = line[:, c], 0
        while x < len(values):
            n = 1
            while x + n < len(values) and n < 127 and values[x + n] == values[x]:
                n += 1
            if n > 2:
                out += bytes([128 + n, values[x]])
            else:
                n = min(2, len(values) - x)
                out += bytes([n]) + values[x:x + n].tobytes()
            x += n
    return out


def old_runs(line):
    """The older one: 1 1 1 n repeats the pixel before; a second one in a row counts in 256s."""
    out, x = b"", 0
    while x < len(line):
        n = 1
        while x + n < len(line) and (line[x + n] == line[x]).all():
            n += 1
        out += line[x].tobytes()
        x += n
        n -= 1
        while n:
            out += bytes([1, 1, 1, n & 255])
            n >>= 8
    return out


def write_hdr(name, coded, resolution, variables="FORMAT=32-bit_rle_rgbe\n", pack=new_runs):
    """coded: in the order in which the file holds its lines."""
    with open(os.path.join(OUT, name), "wb") as file:
        file.write(("#?RADIANCE\n# made for a test\n" + variables + "\n" + resolution + "\n").encode())
        for line in coded:
            file.write(pack(np.ascontiguousarray(line)))
    return name


def make_hdr():
    smooth = light()
    smooth[4:20, 6:30] = smooth[4, 6]
    coded = rgbe(smooth)
    ahead = f"-Y {HEIGHT} +X {WIDTH}"
    expect(write_hdr("hdr_new.hdr", coded, ahead), from_rgbe(coded))
    expect(write_hdr("hdr_old.hdr", coded, ahead, pack=old_runs), from_rgbe(coded))
    expect(write_hdr("hdr_flat.hdr", coded, ahead, pack=lambda line: line.tobytes()), from_rgbe(coded))
    wide = np.repeat(rgbe(light(2, 4) + 1), 350, 1)
    expect(write_hdr("hdr_long_runs.hdr", wide, "-Y 4 +X 700", pack=old_runs), from_rgbe(wide))
    narrow = coded[:, 10:16]
    expect(write_hdr("hdr_narrow.hdr", narrow, f"-Y {HEIGHT} +X 6", pack=lambda line: line.tobytes()),
           from_rgbe(narrow))
    twice = "FORMAT=32-bit_rle_rgbe\nEXPOSURE= 4.0\nEXPOSURE=0.125\n"
    expect(write_hdr("hdr_exposure.hdr", coded, ahead, twice), from_rgbe(coded, 2.0))
    small = coded[:9, :12]
    h, w = small.shape[:2]
    for name, resolution, lines in (
            ("bottom_up", f"+Y {h} +X {w}", small[::-1]), ("mirrored", f"-Y {h} -X {w}", small[:, ::-1]),
            ("turned", f"+Y {h} -X {w}", small[::-1, ::-1]),
            ("columns", f"+X {w} -Y {h}", small.transpose(1, 0, 2)),
            ("columns_up", f"+X {w} +Y {h}", small.transpose(1, 0, 2)[:, ::-1]),
            ("columns_left", f"-X {w} -Y {h}", small.transpose(1, 0, 2)[::-1]),
            ("columns_left_up", f"-X {w} +Y {h}", small.transpose(1, 0, 2)[::-1, ::-1])):
        expect(write_hdr(f"hdr_{name}.hdr", lines, resolution), from_rgbe(small))


def read_hdr_flat_or_new(path):
    """What Blender wrote, decoded by the same description."""
    data = open(path, "rb").read()
    head, rest = data.split(b"\n\n", 1)
    size, body = rest.split(b"\n", 1)
    height, width = int(size.split()[1]), int(size.split()[3])
    coded, at = np.zeros((height, width, 4), np.uint8), 0
    for y in range(height):
        assert body[at:at + 2] == b"\2\2"
        at += 4
        for c in range(4):
            x = 0
            while x < width:
                n = body[at]
                run = n > 128
                n -= 128 if run else 0
                coded[y, x:x + n, c] = body[at + 1] if run else list(body[at + 1:at + 1 + n])
                at += 2 if run else n + 1
                x += n
    return from_rgbe(coded)


def make_blender():
    with tempfile.NamedTemporaryFile("w", suffix=".py") as script:
        script.write(BLENDER.replace("FOLDER", os.path.abspath(OUT)))
        script.flush()
        subprocess.run(["blender", "-b", "--factory-startup", "-t", "1", "-P", script.name], check=True,
                       stdout=subprocess.DEVNULL)
    expect("exr_blender_single.exr", read_exr("exr_blender_single.exr"), samples=8)
    expect("exr_blender_b44a.exr", read_exr("exr_blender_b44a.exr"), samples=8)
    expect("exr_blender_layers.exr", read_exr("exr_blender_layers.exr", "ViewLayer.Combined."), samples=8)
    expect("hdr_blender.hdr", read_hdr_flat_or_new(os.path.join(OUT, "hdr_blender.hdr")))


def main():
    make_compressions()
    make_layouts()
    make_layers()
    make_refused()
    make_primaries()
    make_hdr()
    make_blender()
    make_dwa()
    with open(os.path.join(OUT, "expected_light.csv"), "w") as file:
        file.write("file,layer,width,height,missing,samples,nan,infinite,negative,crc32\n")
        file.write("\n".join(sorted(ROWS)) + "\n")


main()
