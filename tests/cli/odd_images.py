"""Small images that are whole but odd: extreme numbers, no spread, no data, few pixels, many kinds of files.

`write_all` writes them all into a folder, with files that go with them: masks, label maps, scribbles, prior maps, and
models, some of them with finite but mad numbers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import nibabel
import numpy as np
import tifffile
from PIL import Image

H, W = 10, 12
LARGEST = np.finfo(float).max
RNG = np.random.default_rng(0)


def _plain() -> np.ndarray:
    """Two colours and noise, (H, W, 3) uint8."""
    right = (np.arange(W) > W // 2)[None, :, None]
    noise = np.random.default_rng(1).normal(0, 8, (H, W, 3))
    return np.clip(np.where(right, (200, 150, 90), (40, 60, 50)) + noise, 0, 255).astype(np.uint8)


def _drawing() -> np.ndarray:
    """Flat colours without any noise, (2H, 2W, 3)."""
    drawing = np.zeros((2 * H, 2 * W, 3), np.uint8)
    drawing[5:15, 4:12], drawing[::4, 14:] = (200, 30, 30), (30, 30, 200)
    return drawing


def arrays() -> Iterator[tuple[str, np.ndarray]]:
    """Those that NumPy files hold, by name."""
    plain, drawing = _plain(), _drawing()
    grey = plain[..., 0].astype(float)
    yield "one_pixel", np.array([[7]], np.uint8)
    yield "two_pixels", np.array([[7, 9]], np.uint8)
    yield "column", np.arange(30, dtype=np.uint8)[:, None]
    yield "row_of_colours", plain[:1]
    yield "flat", np.full((H, W), 5, np.uint8)
    yield "flat_float", np.full((H, W), 0.1)
    yield "two_values", (np.indices((H, W)).sum(0) % 2).astype(np.uint8)
    yield "one_other", np.where(np.arange(H * W).reshape(H, W) == 33, 200, 5).astype(np.uint8)
    yield "one_far", np.where(np.arange(H * W).reshape(H, W) == 33, 1e300, grey)
    yield "huge", grey * 1e305
    yield "largest", np.where(grey > 100, LARGEST, -LARGEST)
    yield "tiny", grey * 1e-310
    yield "least_difference", 1e15 + (grey > 100) * 0.125
    yield "far_from_zero", grey + 1e12
    yield "far_apart", np.stack([grey * 1e150, grey * 1e-150, grey], -1)
    yield "no_number", np.full((H, W), np.nan)
    yield "some_no_number", np.where(grey > 190, np.nan, grey)
    yield "infinite", np.where(grey > 190, np.inf, grey)
    yield "half_float", grey.astype(np.float16)
    yield "long_float", grey.astype(np.longdouble)
    yield "long_float_huge", grey.astype(np.longdouble) * (np.finfo(np.longdouble).max / 300)
    yield "negative", (grey - 1000).astype(np.int16)
    yield "int64", (plain.astype(np.int64) - 5) * 2**52
    yield "uint64", np.iinfo(np.uint64).max - plain.astype(np.uint64)
    yield "boolean", grey > 100
    yield "complex", grey * 1j
    yield "bands", np.concatenate([plain, plain[::-1], plain[:, ::-1]], 2)
    yield "band_twice", np.concatenate([drawing, drawing], 2)
    yield "constant_band", np.concatenate([plain, np.full((H, W, 2), 9, np.uint8)], 2)
    yield "proportional", grey[..., None] * np.array([1.0, 2.0, -3.0, 0.0])
    yield "known_in_part", np.where(RNG.random((H, W, 4)) < 0.3, np.nan, RNG.normal(100, 20, (H, W, 4)))
    yield "band_without_data", np.stack([grey, np.full((H, W), np.nan), grey], -1)
    yield "count", RNG.poisson(2.0, (H, W)).astype(np.uint16)
    yield "angles", RNG.vonmises(0, 2, (H, W, 2))
    yield "no_pixels", np.zeros((0, W), np.uint8)
    yield "foreign_order", np.asfortranarray(plain.astype(">i4"))


def _pictures(folder: Path) -> None:
    plain, drawing = _plain(), _drawing()
    Image.fromarray(plain).save(folder / "photo.png")
    Image.fromarray(plain).convert("P").save(folder / "palette.png")
    Image.fromarray(plain[..., 0] > 100).save(folder / "bits.png")
    Image.fromarray(plain[..., 0].astype(np.uint16) * 257).save(folder / "grey16.png")
    Image.fromarray(np.dstack([plain, np.zeros((H, W), np.uint8)])).save(folder / "transparent.png")
    Image.fromarray(np.dstack([plain, plain[..., :1]])).save(folder / "half_transparent.png")
    Image.fromarray(np.dstack([plain[..., :2]]), "LA").save(folder / "grey_alpha.png")
    Image.fromarray(drawing).save(folder / "drawing.png")
    Image.fromarray(plain).convert("CMYK").save(folder / "cmyk.jpg")
    frames = [Image.fromarray(np.roll(plain, shift, 1)) for shift in range(3)]
    frames[0].save(folder / "frames.gif", save_all=True, append_images=frames[1:])


def _stacks(folder: Path) -> None:
    plain, volume = _plain(), RNG.normal(100, 20, (4, H, W)).astype(np.float32)
    tifffile.imwrite(folder / "pages.tif", np.stack([plain[..., 0], plain[..., 1]]), photometric="minisblack")
    tifffile.imwrite(folder / "planes.tif", np.moveaxis(plain, -1, 0), photometric="rgb", planarconfig="separate")
    nodata = [(42113, 2, 0, "5", True)]
    tifffile.imwrite(folder / "no_data.tif", np.full((H, W), 5, np.uint8), photometric="minisblack", extratags=nodata)
    tifffile.imwrite(folder / "volume.tif", volume, imagej=True, metadata={"axes": "ZYX"})
    plane, affine = np.moveaxis(volume, 0, -1), np.diag([2.0, 2.0, 3.0, 1.0])
    nibabel.save(nibabel.Nifti1Image(plane, affine), folder / "volume.nii")
    for name, change in (("no_place", {"affine": np.nan}), ("odd_unit", {"unit": 7}), ("odd_code", {"code": 99})):
        image = nibabel.Nifti1Image(plane, affine)
        header = image.header
        if "affine" in change:
            image.set_sform(affine, 1)
            for row in ("srow_x", "srow_y", "srow_z"):
                header[row] = change["affine"]
        header["xyzt_units"] = change.get("unit", 2)
        header["sform_code"] = change.get("code", header["sform_code"])
        nibabel.save(image, folder / "temporary.nii")
        data = bytearray((folder / "temporary.nii").read_bytes())
        data[:348] = header.binaryblock  # as saving would put some of it right
        data[108:112] = np.float32(352).tobytes()
        (folder / f"{name}.nii").write_bytes(data)
    (folder / "temporary.nii").unlink()
    zeros = np.where(np.indices(plane.shape).sum(0) % 3 == 0, 0, plane)
    nibabel.save(nibabel.Nifti1Image(zeros, affine), folder / "skull.nii.gz")


def _models(folder: Path) -> None:
    spread = {"gaussian": "covariances", "student": "scales"}
    for name, scale, mean, family, features, d in (
        ("model", 400.0, 90.0, "gaussian", "gray", 1),
        ("model_lab", 90.0, 50.0, "gaussian", "lab", 3),
        ("mad_means", 400.0, 1e308, "gaussian", "gray", 1),
        ("mad_lab", 90.0, 1e308, "gaussian", "lab", 3),
        ("mad_wide", 1e308, 50.0, "gaussian", "lab", 3),
        ("mad_narrow", 1e-308, 50.0, "gaussian", "gray", 1),
        ("mad_student", 1e-300, -1e308, "student", "lab", 3),
        ("mad_bands", 1e200, 1e307, "student", "bands", 4),
    ):
        matrix = (np.eye(d) * scale).tolist()
        facts = {
            "format": "emseg-model", "version": 1, "family": family, "covariance": "full", "features": features,
            "weights": [0.5, 0.5], "means": [[mean / 2] * d, [mean] * d], spread[family]: [matrix] * 2,
        }  # fmt: skip
        facts |= {"dof": [1e-300, 1e300]} if family == "student" else {}
        (folder / f"{name}.emseg.json").write_text(json.dumps(facts))


def write_all(folder: Path) -> tuple[list[str], dict[str, list[str]]]:
    """Write all; the names of the images, and those of the files for options, by what they are."""
    for name, array in arrays():
        np.save(folder / f"{name}.npy", array)
    _pictures(folder)
    _stacks(folder)
    images = sorted(path.name for path in folder.iterdir())
    labels = np.ones((H, W), np.uint8)
    labels[:, W // 2 :] = 2
    scribbles = np.where(RNG.random((H, W)) < 0.2, labels, 0).astype(np.uint8)
    Image.fromarray(labels).save(folder / "labels_of_two.png")
    Image.fromarray(scribbles).save(folder / "scribbles_of_two.png")
    Image.fromarray(np.where(RNG.random((H, W)) < 0.2, 0, 255).astype(np.uint8)).save(folder / "mask_most.png")
    Image.fromarray(np.zeros((H, W), np.uint8)).save(folder / "mask_none.png")
    np.save(folder / "mask_bands.npy", RNG.random((H, W, 3)) < 0.7)
    np.save(folder / "prior_of_two.npy", np.stack([labels == 1, labels == 2], -1) * 0.8 + 0.1)
    np.save(folder / "prior_zeros.npy", np.zeros((H, W, 2)))
    np.save(folder / "prior_mad.npy", np.full((H, W, 2), 1e308))
    (folder / "names.txt").write_text("photo.png\nflat.npy\n")
    _models(folder)
    made = sorted({path.name for path in folder.iterdir()} - set(images))
    kinds = ("model", "mad", "labels", "scribbles", "mask", "prior", "names")
    return images, {kind: [name for name in made if name.startswith(kind)] for kind in kinds}
