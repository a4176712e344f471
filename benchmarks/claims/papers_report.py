"""The tables and figures of docs/benchmarks.md, from what papers.py has found.

python -m benchmarks.claims.papers_report
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from statistics import median
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from benchmarks.helpers.papers_rows import CLASSICAL, TRAINED
from benchmarks.helpers.papers_tables import TABLES
from benchmarks.helpers.places import DOCS, RESULTS
from benchmarks.helpers.tables import write_table

Entry = dict[str, Any]
ORDER = [*CLASSICAL, *TRAINED]
WAVES = ("400.0", "500.0", "600.0", "610.0")
BETWEEN = WAVES[:3]
OWN = "with the PSF of the wavelength"
SEED = re.compile(r", seed (\d+)")


def grouped(found: dict[str, Entry]) -> dict[str, dict[int, Entry]]:
    """Gather the seeds of everything else that names an entry."""
    groups: dict[str, dict[int, Entry]] = defaultdict(dict)
    for key, entry in found.items():
        seed = SEED.search(key)
        assert seed is not None, key
        groups[SEED.sub("", key)][int(seed[1])] = entry
    return groups


def in_order(groups: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield groups in the order of the rows."""
    rows = sorted(groups, key=lambda key: (ORDER.index(key.split(",")[0]), key))
    return ((key, groups[key]) for key in rows)


def spread(values: Iterable[float], form: str) -> str:
    """Return the median, and the worst in brackets; the lowest is the worst."""
    every = list(values)
    low = f" ({min(every):{form}})" if len(every) > 1 else ""
    return f"{median(every):{form}}{low}"


def images(entries: Iterable[Entry], wave: str = "") -> list[dict[str, float]]:
    """Return the figures of all volumes, at the first wavelength by default."""
    found = []
    for entry in entries:
        waves = entry["images"]
        found += waves.get(wave, []) if wave else next(iter(waves.values()))
    return found


def image_row(
    key: str, seeds: dict[int, Entry], groups: dict[str, dict[int, Entry]]
) -> list[str]:
    volumes = images(seeds.values())
    columns = {
        "psnr": ".2f",
        "psnr_fitted": ".2f",
        "ssim": ".4f",
        "correlation": ".3f",
    }
    minutes = [entry["minutes"] for entry in seeds.values() if "minutes" in entry]
    gains = over_rl(key, seeds, groups)
    return [
        described(key),
        f"{len(seeds)} × {len(volumes) // len(seeds)}",
        *(spread((f[name] for f in volumes), form) for name, form in columns.items()),
        spread(gains, "+.2f") if gains else "",
        f"{median(minutes):.1f}" if minutes else "",
    ]


def over_rl(
    key: str, seeds: dict[int, Entry], groups: dict[str, dict[int, Entry]]
) -> list[float]:
    """Return fitted PSNR over Richardson-Lucy with the true PSF, volume by volume."""
    _, model, structure, other, *more = key.split(", ")
    data = [part for part in more if part.startswith(("volumes", "trained at"))]
    rl = groups.get(", ".join(["rl", model, structure, other, *data]), {})
    return [
        ours["psnr_fitted"] - theirs["psnr_fitted"]
        for seed, entry in seeds.items()
        if seed in rl
        for ours, theirs in zip(images([entry]), images([rl[seed]]), strict=True)
    ]


def described(key: str) -> str:
    """Shorten a name: what every experiment has goes without saying."""
    row, model, structure, other, *rest = key.split(", ")
    more = [] if model == "born-wolf" else [model]
    more += [] if structure == "microtubules" else [structure]
    more += [] if other == structure else [f"sharp set: {other}"]
    return ", ".join([row, *more, *rest])


def worst(kernels: list[Entry], name: str) -> str:
    """Return the median and the value farthest from none, in per cent."""
    values = [100 * kernel[name] for kernel in kernels]
    return f"{median(values):+.1f} ({max(values, key=abs):+.1f})"


def kernel_row(key: str, seeds: dict[int, Entry]) -> list[str]:
    first = [entry["kernels"][0] for entry in seeds.values()]
    last = [entry["kernels"][-1] for entry in seeds.values()]
    learned = [f for e in seeds.values() for f in e.get("rl with the learned PSF", [])]
    return [
        described(key),
        str(len(seeds)),
        spread((k["ncc"] for k in first), ".4f"),
        spread((k["ncc"] for k in last), ".4f"),
        worst(last, "fwhm_z"),
        worst(last, "fwhm_xy"),
        f"{max(abs(k['centroid']) for k in last):.2f}",
        spread((f["psnr_fitted"] for f in learned), ".2f") if learned else "",
    ]


def with_own_psf(groups: dict[str, dict[int, Entry]]) -> dict[str, dict[int, Entry]]:
    """Add rows for what was restored with the PSF of each wavelength."""
    own = {
        f"{key}, {OWN}": {n: {"images": entry[f"images {OWN}"]} for n, entry in some}
        for key, seeds in groups.items()
        if (some := [(n, e) for n, e in seeds.items() if f"images {OWN}" in e])
    }
    return groups | own


def wavelength_rows(groups: dict[str, dict[int, Entry]]) -> Iterator[list[str]]:
    """Yield what was tested at more wavelengths than its own."""
    for key, seeds in in_order(with_own_psf(groups)):
        entries = [e for e in seeds.values() if len(e["images"]) == len(WAVES)]
        if entries:
            found = [images(entries, wave) for wave in WAVES]
            low, *_, high = sorted(losses := [*spreads(entries)])
            middle = f"{median(losses):.2f} ({low:.2f} to {high:.2f})"
            yield [described(key), *map(fitted_and_ssim, found), middle]


def fitted_and_ssim(volumes: list[dict[str, float]]) -> str:
    fitted = spread((f["psnr_fitted"] for f in volumes), ".2f")
    return f"{fitted}, {median(f['ssim'] for f in volumes):.3f}"


def spreads(entries: Iterable[Entry]) -> Iterator[float]:
    """Yield the best less the worst fitted PSNR of each volume over `BETWEEN`."""
    for entry in entries:
        waves = (v for wave, v in entry["images"].items() if wave in BETWEEN)
        for volume in zip(*waves, strict=True):
            fitted = [found["psnr_fitted"] for found in volume]
            yield max(fitted) - min(fitted)


def draw(groups: dict[str, dict[int, Entry]]) -> None:
    """Draw the fitted PSNR of every volume, and the kernels while they learn."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    rows = list(in_order(groups))[::-1]
    for place, (_, seeds) in enumerate(rows):
        values = [f["psnr_fitted"] for f in images(seeds.values())]
        left.plot(values, [place] * len(values), "o", alpha=0.6)
    left.set_yticks(range(len(rows)), [described(key) for key, _ in rows], fontsize=7)
    left.set_xlabel("PSNR after the intensity fit, dB; a dot a volume")
    learned = [row for row in in_order(groups) if "kernels" in row[1][min(row[1])]]
    for number, (key, seeds) in enumerate(learned):
        for entry in seeds.values():
            steps = [k["step"] for k in entry["kernels"]]
            nccs = [1 - k["ncc"] for k in entry["kernels"]]
            right.plot(steps, nccs, f"C{number}", alpha=0.7, label=described(key))
    right.set_yscale("log")
    right.set_xlabel("step")
    right.set_ylabel("1 - NCC of the learned PSF")
    handles = dict(zip(*right.get_legend_handles_labels()[::-1], strict=True))
    right.legend(handles.values(), handles.keys(), fontsize=6)
    figure.savefig(DOCS / "images" / "papers.png", dpi=130)


HEADER = (
    "| row | seeds × volumes | PSNR | fitted PSNR | SSIM | correlation "
    "| over RL, dB | CPU min |"
)


def main() -> None:
    found = json.loads((RESULTS / "papers-cpu.json").read_text())
    every = grouped(found)
    changed = {key: seeds for key, seeds in every.items() if "=" in key}
    groups = {key: seeds for key, seeds in every.items() if "=" not in key}
    for name, part in (("images", groups), ("ablation", changed)):
        rows = (image_row(key, seeds, every) for key, seeds in in_order(part))
        write_table("benchmarks.md", name, HEADER, rows)
    learned = {
        k: g for k, g in groups.items() if all("kernels" in e for e in g.values())
    }
    write_table(
        "benchmarks.md",
        "kernels",
        "| row | seeds | NCC at the start | NCC | ΔFWHM z, % | ΔFWHM xy, % | centroid "
        "| RL with it, fitted PSNR |",
        (kernel_row(key, seeds) for key, seeds in in_order(learned)),
    )
    write_table(
        "benchmarks.md",
        "wavelengths",
        "| row | 400 nm | 500 nm | 600 nm | 610 nm | spread over 400–600 nm, dB |",
        wavelength_rows({key: g for key, g in every.items() if "black" not in key}),
    )
    for name, (header, rows_of) in TABLES.items():
        write_table("benchmarks.md", name, header, rows_of(every))
    draw(groups)


if __name__ == "__main__":
    main()
