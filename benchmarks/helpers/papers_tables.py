"""The tables of the papers as experiments: one truth for all rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

Entry = dict[str, Any]
Groups = dict[str, dict[int, Entry]]

DATA = "gibson-lanni, microtubules, microtubules"
WAVES = ("400.0", "500.0", "600.0")
OWN, LONG = "500.0", "610.0"
AT_LONG = ", trained at 610 nm"
STEPS = ", 1000 steps"
SEEDS = (0, 1, 2)
WASSERSTEIN = (
    ", discriminator.loss=wgan-gp, discriminator.steps=5, optimiser.betas=[0.5,0.9]"
)
LITERAL = (
    ", cycle_power=1, terms.cycle_x=0.5, terms.cycle_y=0.5, reconstructor.kind=plain"
)


@dataclass(frozen=True)
class Line:
    """A row of a table: what it is called, and the key of its entries."""

    title: str
    key: str


def _line(title: str, row: str, more: str = STEPS) -> Line:
    return Line(title, f"{row}, {DATA}{more}")


UNTRAINED = (
    _line("input", "input", ""),
    _line("Richardson–Lucy, best stop, true PSF", "rl", ""),
)
TABLE_I = (
    *UNTRAINED,
    _line("supervised (plain network)", "supervised"),
    _line("conventional cycleGAN (plain networks)", "cyclegan"),
    _line("`half`", "half"),
    _line("`nonblind`", "nonblind"),
    _line("`blind`", "blind"),
)
TABLE_II = (
    *UNTRAINED,
    _line("`half`", "half"),
    _line("`nonblind`", "nonblind"),
    _line("`blind`", "blind"),
)
OPTIMAL_TRANSPORT = (
    _line("known H (`nonblind`), least squares", "nonblind"),
    _line("known H (`nonblind`), Wasserstein", "nonblind", STEPS + WASSERSTEIN),
    _line(
        "known H, Wasserstein, plain network, σ = ρ = 0.5",
        "nonblind",
        STEPS + WASSERSTEIN + LITERAL,
    ),
    _line(
        "unknown H (`blind-two-discriminators`), least squares",
        "blind-two-discriminators",
    ),
    _line(
        "unknown H (`blind-two-discriminators`), Wasserstein",
        "blind-two-discriminators",
        STEPS + WASSERSTEIN,
    ),
)

HEADER_I = (
    "| row | seeds | 400 nm | 500 nm | 600 nm | over RL at 500 nm, dB "
    "| equalised PSNR, 500 nm | equalised SSIM, 500 nm | CPU min |"
)
HEADER_II = (
    "| row | seeds | 500 nm | 500 nm, equalised | 610 nm | 610 nm, equalised "
    "| over RL at 500 nm, dB | at 610 nm |"
)
HEADER_OT = "| row | seeds | fitted PSNR, SSIM | over RL, dB | CPU min |"


def table_one(groups: Groups) -> Iterator[list[str]]:
    """Train at 500 nm, test at 400, 500 and 600: table I of Lim et al."""
    for line, seeds in _measured(TABLE_I, groups):
        own = _volumes(seeds, OWN)
        yield [
            line.title,
            str(len(seeds)),
            *(scores(_volumes(seeds, wave)) for wave in WAVES),
            over(groups, line.key, OWN),
            *spread(own, "psnr_equalized", ".2f"),
            *spread(own, "ssim_equalized", ".3f"),
            minutes(seeds),
        ]


def table_two(groups: Groups) -> Iterator[list[str]]:
    """Train and test at 500 nm, and at 610: table II of Lim et al."""
    for line, seeds in _measured(TABLE_II, groups):
        far = _seeds(line.key + AT_LONG, groups)
        if far:
            own, long = _volumes(seeds, OWN), _volumes(far, LONG)
            yield [
                line.title,
                f"{len(seeds)}, {len(far)}",
                *(scores(own), equalized(own), scores(long), equalized(long)),
                over(groups, line.key, OWN),
                over(groups, line.key + AT_LONG, LONG),
            ]


def transport(groups: Groups) -> Iterator[list[str]]:
    """Least squares against Wasserstein, for known and unknown H: Sim et al."""
    for line, seeds in _measured(OPTIMAL_TRANSPORT, groups):
        yield [
            line.title,
            str(len(seeds)),
            scores(_volumes(seeds, OWN)),
            over(groups, line.key, OWN),
            minutes(seeds),
        ]


TABLES: dict[str, tuple[str, Callable[[Groups], Iterator[list[str]]]]] = {
    "table I": (HEADER_I, table_one),
    "table II": (HEADER_II, table_two),
    "optimal transport": (HEADER_OT, transport),
}


def scores(volumes: list[dict[str, float]]) -> str:
    """Return fitted PSNR, its worst, and SSIM."""
    psnr, ssim = spread(volumes, "psnr_fitted", ".2f"), spread(volumes, "ssim", ".3f")
    return ", ".join([*psnr, *ssim])


def equalized(volumes: list[dict[str, float]]) -> str:
    """Return PSNR and SSIM after adaptive histogram equalisation."""
    return ", ".join(
        [
            *spread(volumes, "psnr_equalized", ".2f"),
            *spread(volumes, "ssim_equalized", ".3f"),
        ]
    )


def spread(volumes: list[dict[str, float]], name: str, form: str) -> list[str]:
    """Return the median with the worst in brackets; nothing if it was not measured."""
    found = [v[name] for v in volumes if name in v]
    return [f"{median(found):{form}} ({min(found):{form}})"] if found else ["–"]


def minutes(seeds: dict[int, Entry]) -> str:
    """Return the median CPU time, which an untrained row does not have."""
    found = [e["minutes"] for e in seeds.values() if "minutes" in e]
    return f"{median(found):.1f}" if found else ""


def over(groups: Groups, key: str, wave: str) -> str:
    """Return the gain over Richardson-Lucy, volume by volume: median and worst."""
    far = AT_LONG if AT_LONG in key else ""
    theirs = groups.get(f"rl, {DATA}{far}", {})
    gains = [
        mine["psnr_fitted"] - other["psnr_fitted"]
        for seed, entry in _seeds(key, groups).items()
        if seed in theirs
        for mine, other in zip(
            entry["images"][wave], theirs[seed]["images"][wave], strict=True
        )
    ]
    return f"{median(gains):+.2f} ({min(gains):+.2f})" if gains else "–"


def _measured(
    lines: Iterable[Line], groups: Groups
) -> Iterator[tuple[Line, dict[int, Entry]]]:
    for line in lines:
        if seeds := _seeds(line.key, groups):
            yield line, seeds


def _seeds(key: str, groups: Groups) -> dict[int, Entry]:
    return {seed: e for seed, e in groups.get(key, {}).items() if seed in SEEDS}


def _volumes(seeds: dict[int, Entry], wave: str) -> list[dict[str, float]]:
    return [v for entry in seeds.values() for v in entry["images"].get(wave, [])]
