"""Well-known hyperspectral scenes: how their files are called, their classes in the usual order, their bands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Known:
    """What is known of a scene beforehand.

    Args:
        stems: Names its file goes by, without suffix, in small letters.
        classes: Names of the classes 1, 2, ... of its class map; 0 is unlabelled.
        micrometres: Shortest and longest wavelength, the bands evenly between them.
        bands: Number of bands that `micrometres` speaks of.
        units: Unit of one value.
    """

    stems: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    micrometres: tuple[float, float] | None = None
    bands: int = 0
    units: str = "value"


PAVIA_UNIVERSITY = (
    "asphalt",
    "meadows",
    "gravel",
    "trees",
    "painted metal sheets",
    "bare soil",
    "bitumen",
    "self-blocking bricks",
    "shadows",
)

PAVIA_CENTRE = (
    "water",
    "trees",
    "meadows",
    "self-blocking bricks",
    "bare soil",
    "asphalt",
    "bitumen",
    "tiles",
    "shadows",
)

INDIAN_PINES = (
    "alfalfa",
    "corn-notill",
    "corn-mintill",
    "corn",
    "grass-pasture",
    "grass-trees",
    "grass-pasture-mowed",
    "hay-windrowed",
    "oats",
    "soybean-notill",
    "soybean-mintill",
    "soybean-clean",
    "wheat",
    "woods",
    "buildings-grass-trees-drives",
    "stone-steel-towers",
)

SCENES = {
    "pavia-university": Known(
        ("pavia_university_lowres", "paviau", "pavia_university"), PAVIA_UNIVERSITY, (0.43, 0.86), 103, "reflectance"
    ),
    "pavia-centre": Known(
        ("pavia_centre_crop", "pavia", "paviac", "pavia_centre"), PAVIA_CENTRE, (0.43, 0.86), 102, "reflectance"
    ),
    "samson": Known(("samson", "samson_1"), units="reflectance"),
    "jasper-ridge": Known(("jasper_ridge", "jasperridge2_r198"), units="reflectance x 10,000"),
    "houston": Known(("houston2018_crop", "houston_dataset")),
    "airport": Known(("abu_airport_1", "abu-airport-1")),
    "indian-pines": Known(("indian_pines_corrected", "indian_pines"), INDIAN_PINES),
}


def known_scene(stem: str) -> Known | None:
    """What is known of the scene whose file has this name, or None.

    Example:
        >>> known_scene("PaviaU").classes[0]
        'asphalt'
    """
    return next((known for known in SCENES.values() if stem.lower() in known.stems), None)
