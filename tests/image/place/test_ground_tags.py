"""ENVI headers, JPEG 2000 boxes and world files as GeoTIFF tags: against GDAL through rasterio, where it is there."""

from __future__ import annotations

import struct
import time
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import tifffile

from emseg.errors import ImageError
from emseg.image.label_maps import read_labels
from emseg.image.place.coordinate_systems import system_name
from emseg.image.place.ground import ground
from emseg.image.place.ground_tags import epsg_in, ground_tags, utm_code
from emseg.image.place.jpeg2000_boxes import tags_of_boxes
from emseg.image.place.microscope import size_by_description
from emseg.image.place.pixel_size import PixelSize
from emseg.image.read import read_image, read_mask
from emseg.output.maps.tiff_writer import labels_tiff

pytestmark = pytest.mark.long

PIXELS = np.random.default_rng(0).integers(0, 255, (6, 8)).astype(np.uint8)
NORTH_UP = np.array([[10.0, 0, 5e5], [0, -10, 4.6e6]])
TURNED = np.array([[8.0, 6, 5e5], [6, -8, 4.6e6]])
ALBERS = (
    'PROJCS["Albers",GEOGCS["GCS_North_American_1983",DATUM["D_North_American_1983",SPHEROID["GRS_1980",6378137.0,'
    '298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Albers"],'
    'PARAMETER["False_Easting",0.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",-96.0],'
    'PARAMETER["Standard_Parallel_1",29.5],PARAMETER["Standard_Parallel_2",45.5],'
    'PARAMETER["Latitude_Of_Origin",23.0],UNIT["Meter",1.0]]'
)
UTM_33 = 'PROJCS["WGS_1984_UTM_Zone_33N",GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984"]],UNIT["Meter",1.0]]'


@pytest.mark.parametrize("matrix", [NORTH_UP, TURNED, NORTH_UP[:, [1, 0, 2]]])
def test_tags_give_the_map_back(matrix: np.ndarray) -> None:
    for given in ({"code": 32633}, {"code": 4326, "geographic": True}, {"wkt": ALBERS}, {"wkt": "Local grid"}, {}):
        tags = ground_tags(matrix, **given)  # type: ignore[arg-type]
        np.testing.assert_array_equal(ground(tags), matrix)
        name = system_name(tags)
        assert name == (f"EPSG:{given['code']}" if "code" in given else given.get("wkt", ""))


def envi(folder: Path, lines: str) -> Path:
    head = "ENVI\nsamples = 8\nlines = 6\nbands = 1\ndata type = 1\ninterleave = bsq\nbyte order = 0\n"
    (folder / "cube.hdr").write_text(head + lines, "utf-8")
    PIXELS.tofile(folder / "cube.dat")
    return folder / "cube.hdr"


HEADERS = {
    "map info = {UTM, 1.000, 1.000, 483892.5, 4592708.5, 30.0, 20.0, 16, North, WGS-84, units=Meters}": "EPSG:32616",
    "map info = {UTM, 1, 1, 483892.5, 4592708.5, 30.0, 30.0, 16, South, WGS-84}": "EPSG:32716",
    "map info = {UTM, 1.5, 2.5, 483892.5, 4592708.5, 30, 30, 16, North, North America 1983}": "EPSG:26916",
    "map info = {UTM, 1, 1, 483892.5, 4592708.5, 30, 30, 16, North, WGS-84, units=Meters, rotation=30}": "EPSG:32616",
    "map info = {Geographic Lat/Lon, 1.0, 1.0, -180, 90, 0.083, 0.083, WGS-84, units=Degrees}": "EPSG:4326",
    f"map info = {{UTM, 1, 1, 1, 2, 3, 3, 33, North,WGS-84}}\ncoordinate system string = {{{UTM_33}}}": "EPSG:32633",
    f"map info = {{Albers, 1, 1, 1, 2, 3, 3, NAD-83}}\ncoordinate system string = {{{ALBERS}}}": ALBERS,
    "map info = {State grid, 1, 1, 1, 2, 3, 3, units=Feet}": "State grid",
}


@pytest.mark.parametrize("lines", HEADERS)
def test_envi(lines: str, tmp_path: Path) -> None:
    image = read_image(envi(tmp_path, lines))
    tags = image.metadata["geotiff"]
    assert system_name(tags) == HEADERS[lines]
    size = image.pixel_size
    assert size is not None
    assert size.unit == ("degree" if "Lat/Lon" in lines else "foot" if "Feet" in lines else "m")
    np.testing.assert_array_equal(image.pixels[:, :, 0], PIXELS)
    rasterio = pytest.importorskip("rasterio", reason="needs rasterio")
    with rasterio.open(tmp_path / "cube.dat") as file:
        np.testing.assert_allclose(ground(tags), np.reshape(file.transform[:6], (2, 3)), rtol=1e-12)
        crs = file.crs
    (tmp_path / "x.tif").write_bytes(labels_tiff(np.ones((6, 8), np.uint8), image.metadata))
    with rasterio.open(tmp_path / "x.tif") as file:  # what emseg carries is what GDAL reads
        np.testing.assert_allclose(file.transform[:6], np.ravel(ground(tags)), rtol=1e-12)
        assert file.crs == crs or HEADERS[lines] == "State grid"


@pytest.mark.parametrize(
    "lines",
    [
        "map info = {Arbitrary, 1, 1, 0, 0, 1, 1, 0, North}",
        "map info = {UTM, 1, 1, east, north, 1, 1, 0, North}",
        "map info = {UTM, 1, 1, 5, 5, 0, 1, 16, North}",
        "map info = {UTM, 1, 1, nan, 5, 1, 1, 16, North}",
        "map info = {UTM}",
        "map info = ",
        f"coordinate system string = {{{ALBERS}}}",
    ],
)
def test_an_envi_header_without_a_place(lines: str, tmp_path: Path) -> None:
    assert not read_image(envi(tmp_path, lines)).metadata.keys() & {"geotiff", "pixel_size"}


@pytest.mark.parametrize(
    ("wkt", "code"),
    [
        (UTM_33, 32633),
        ('PROJCS["ETRS_1989_UTM_Zone_32N",UNIT["Meter",1]]', 25832),
        ('PROJCS["NAD 1983 UTM Zone 60N",UNIT["Meter",1]]', 0),
        ('GEOGCS["GCS_WGS_1984",DATUM["D"]]', 4326),
        ('PROJCS["x",GEOGCS["y",AUTHORITY["EPSG","4326"]],AUTHORITY["EPSG","3035"]]', 3035),
        ('PROJCS["x",GEOGCS["y",AUTHORITY["EPSG","4326"]]]', 0),
        ('PROJCRS["x",BASEGEOGCRS["y"],ID["EPSG",3035]]', 3035),
        (ALBERS, 0),
    ],
)
def test_codes_of_well_known_text(wkt: str, code: int) -> None:
    assert epsg_in(wkt) == code


def test_zones_that_there_are_not() -> None:
    assert [utm_code(*zone) for zone in (("84", 61, True), ("83", 16, False), ("99", 1, True), ("84", 0, True))] == [
        0
    ] * 4


JP2 = {
    "GeoJP2 and GML": {},
    "GML alone": {"GEOJP2": "NO"},
    "GeoJP2 alone": {"GMLJP2": "NO"},
}


@pytest.mark.parametrize("options", JP2.values(), ids=JP2)
@pytest.mark.parametrize(
    ("matrix", "system"), [(NORTH_UP, "EPSG:32633"), (TURNED, "EPSG:32633"), (NORTH_UP / 1e5, "EPSG:4326")]
)
def test_jpeg_2000(options: dict[str, str], matrix: np.ndarray, system: str, tmp_path: Path) -> None:
    rasterio = pytest.importorskip("rasterio", reason="needs rasterio")
    shape: dict[str, Any] = {"width": 8, "height": 6, "count": 1, "dtype": "uint8", "QUALITY": "100", **options}
    place = {"crs": system, "transform": rasterio.Affine(*matrix.ravel())}
    with rasterio.open(tmp_path / "x.jp2", "w", "JP2OpenJPEG", REVERSIBLE="YES", **shape, **place) as file:
        file.write(PIXELS, 1)
    image = read_image(tmp_path / "x.jp2")
    np.testing.assert_array_equal(image.pixels[:, :, 0], PIXELS)
    np.testing.assert_allclose(ground(image.metadata["geotiff"]), matrix, rtol=1e-12)
    assert system_name(image.metadata["geotiff"]) == system


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body


GML = (
    '<gml:RectifiedGrid dimension="2"><gml:origin><gml:Point srsName="urn:ogc:def:crs:EPSG::32633"><gml:pos>500005 '
    '4599995</gml:pos></gml:Point></gml:origin><gml:offsetVector srsName="x">10 0</gml:offsetVector>'
    '<gml:offsetVector srsName="x">0 -10</gml:offsetVector></gml:RectifiedGrid>'
)


def jp2(*boxes: bytes) -> bytes:
    import io

    file = io.BytesIO()
    PIL.Image.fromarray(PIXELS).save(file, "JPEG2000", irreversible=False)
    return file.getvalue() + b"".join(boxes)


def test_boxes_without_other_programs(tmp_path: Path) -> None:
    path = tmp_path / "x.jp2"
    path.write_bytes(jp2(box(b"asoc", box(b"lbl ", b"gml.data") + box(b"xml ", GML.encode()))))
    image = read_image(path)
    np.testing.assert_allclose(ground(image.metadata["geotiff"]), NORTH_UP)
    assert system_name(image.metadata["geotiff"]) == "EPSG:32633"
    assert image.pixel_size is None or image.pixel_size == PixelSize((10.0, 10.0), "m")


@pytest.mark.parametrize(
    "more",
    [
        box(b"uuid", bytes.fromhex("b14bf8bd083d4b43a5ae8cd7d5a6ce03") + b"II*\0\xff\xff\0\0"),
        box(b"uuid", bytes.fromhex("b14bf8bd083d4b43a5ae8cd7d5a6ce03")),
        box(b"xml ", GML.replace("500005", "here").encode()),
        box(b"xml ", GML.replace(">0 -10<", ">10 0<").encode()),
        box(b"xml ", b"\xff\xfe"),
        struct.pack(">I", 1) + b"uuid" + bytes(4),
        struct.pack(">I", 4000) + b"uuid",
        box(b"asoc", b"\0\0\0\1asoc" * 50),
    ],
)
def test_damaged_boxes_leave_the_picture(more: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.jp2").write_bytes(jp2(more))
    image = read_image(tmp_path / "x.jp2")
    np.testing.assert_array_equal(image.pixels[:, :, 0], PIXELS)
    assert "geotiff" not in image.metadata


@pytest.mark.parametrize(
    "text",
    [
        "<RectifiedGrid " * 60_000,
        "<RectifiedGrid>" + "<pos " * 180_000 + "</RectifiedGrid>",
        "<RectifiedGrid>" + "srsName='" + "EPSG:" * 180_000,
        "<RectifiedGrid>" + "srsName='EPSG:" * 60_000,
        "<" + "a" * 900_000,
    ],
    ids=lambda text: text[:30],
)
def test_no_text_takes_long(text: str, tmp_path: Path) -> None:
    begin = time.process_time()
    assert tags_of_boxes(box(b"xml ", text.encode())) == {}
    assert size_by_description(text.replace("RectifiedGrid", "Pixels"), {}) is None
    assert time.process_time() - begin < 1  # where a pattern looks again and again, minutes


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("urn:ogc:def:crs:EPSG::32633", "EPSG:32633"),
        ("urn:ogc:def:crs:EPSG:6.6:32633", "EPSG:32633"),
        ("http://www.opengis.net/def/crs/EPSG/0/32633", "EPSG:32633"),
        ("http://www.opengis.net/gml/srs/epsg.xml#32633", ""),
        ("EPSG:32633", "EPSG:32633"),
        ("gmljp2://xml/CRSDictionary.gml#ogrcrs1", ""),
    ],
)
def test_names_of_systems_in_gml(name: str, code: str) -> None:
    tags = tags_of_boxes(box(b"xml ", GML.replace("urn:ogc:def:crs:EPSG::32633", name).encode()))
    assert system_name(tags) == code


@pytest.mark.parametrize(
    ("picture", "beside"),
    [
        ("x.png", "x.pgw"),
        ("x.tif", "x.tfw"),
        ("x.tif", "x.TFW"),
        ("x.tiff", "x.tfw"),
        ("x.png", "x.pngw"),
        ("x.png", "x.wld"),
    ],
)
def test_a_world_file(picture: str, beside: str, tmp_path: Path) -> None:
    PIL.Image.fromarray(PIXELS).save(tmp_path / picture)
    (tmp_path / beside).write_text("10.0\n0.0\n0.0\n-10.0\n500005.0\n4599995.0\n")
    image = read_image(tmp_path / picture)
    np.testing.assert_array_equal(ground(image.metadata["geotiff"]), NORTH_UP)
    # a label map without one is matched by index, and one elsewhere is refused
    PIL.Image.fromarray(PIXELS).save(tmp_path / "labels.png")
    (line,) = read_labels(tmp_path / "labels.png", image).notices
    assert "matched by index" in line
    (tmp_path / "labels.pgw").write_text("10.0 0 0 -10 500005 4599995")
    assert read_labels(tmp_path / "labels.png", image).notices == ()
    assert not any("index" in line for line in read_mask(tmp_path / "labels.png", image)[1])
    (tmp_path / "labels.pgw").write_text("10.0 0 0 -10 500015 4599995")
    for read in (read_labels, read_mask):
        with pytest.raises(ImageError, match=r"labels\.png: does not cover .* begins at \(1, 0\)"):
            read(tmp_path / "labels.png", image)


@pytest.mark.parametrize("text", ["", "1 2 3", "a b c d e f", "0 0 0 0 0 0", "nan 0 0 1 0 0", "\xff"])
def test_a_world_file_without_sense(text: str, tmp_path: Path) -> None:
    PIL.Image.fromarray(PIXELS).save(tmp_path / "x.png")
    (tmp_path / "x.pgw").write_text(text, "latin-1")
    assert "geotiff" not in read_image(tmp_path / "x.png").metadata


@pytest.mark.parametrize("driver", ["PNG", "BMP"])
@pytest.mark.parametrize(
    ("matrix", "system"), [(NORTH_UP, "EPSG:32633"), (TURNED, "EPSG:3035"), (NORTH_UP / 1e5, "EPSG:4326")]
)
def test_what_gdal_writes_beside_a_picture(driver: str, matrix: np.ndarray, system: str, tmp_path: Path) -> None:
    rasterio = pytest.importorskip("rasterio", reason="needs rasterio")
    shape: dict[str, Any] = {"width": 8, "height": 6, "count": 1, "dtype": "uint8"}
    place = {"crs": system, "transform": rasterio.Affine(*matrix.ravel())}
    path = tmp_path / f"x.{driver.lower()}"
    with rasterio.open(path, "w", driver, **shape, **place) as file:
        file.write(PIXELS, 1)
    assert (tmp_path / f"{path.name}.aux.xml").exists()
    tags = read_image(path).metadata["geotiff"]
    np.testing.assert_allclose(ground(tags), matrix, rtol=1e-12)
    assert system_name(tags) == system


@pytest.mark.parametrize("text", ["", "<GeoTransform>1,2</GeoTransform>", "<GeoTransform>a,b,c,d,e,f</GeoTransform>"])
def test_a_file_of_gdal_without_sense(text: str, tmp_path: Path) -> None:
    PIL.Image.fromarray(PIXELS).save(tmp_path / "x.png")
    (tmp_path / "x.png.aux.xml").write_text(text, "latin-1")
    assert "geotiff" not in read_image(tmp_path / "x.png").metadata
    (tmp_path / "x.pgw").write_text("10.0 0 0 -10 500005 4599995")
    np.testing.assert_array_equal(ground(read_image(tmp_path / "x.png").metadata["geotiff"]), NORTH_UP)


def test_tags_of_a_file_come_before_a_world_file(tmp_path: Path) -> None:
    tags = [(33550, "d", 3, (2.0, 2.0, 0.0), True), (33922, "d", 6, (0.0, 0, 0, 7, 8, 0), True)]
    tifffile.imwrite(tmp_path / "x.tif", PIXELS, extratags=tags)
    (tmp_path / "x.tfw").write_text("10.0 0 0 -10 500005 4599995")
    np.testing.assert_array_equal(ground(read_image(tmp_path / "x.tif").metadata["geotiff"]), [[2, 0, 7], [0, -2, 8]])
