"""Each module of the engine has a test file of its name, or a place in another."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from scripts import rooms

TESTS = Path(__file__).parent
DOORS = ("widgets", "cli")

# What has no file of its own: parts of one thing that is tested as a whole.
WITHIN = {
    "classical/test_methods.py": ("inverse.steps",),
    "classical/test_images.py": ("inverse.result",),
    "classical/test_plan.py": ("classical.deconvolution_operator",),
    "test_public.py": (
        "classical.psf_fit",
        "writing.ome_tiff",
    ),
    "data/test_voxels.py": (
        "headers.tiff_facts",
        "writing.ome_metadata",
    ),
    "data/test_tiff_checks.py": ("reading.tiff",),
    "data/test_zarr_array.py": ("reading.shards",),
    "data/test_ome_zarr.py": ("writing.facts",),
    "data/test_conversion.py": ("data.layers",),
    "restoration/test_predict.py": (
        "restoration.events",
        "tiling.operator",
        "tiling.tile_runner",
    ),
    "restoration/test_presets.py": ("models.network_operator",),
    "measure/test_resolution.py": ("measure.decorrelation",),
    "optics/test_theoretical.py": (
        "optics.diffraction.volumes",
        "optics.diffraction.voxels",
    ),
    "optics/test_spectral.py": ("identification.identify",),
    "transport/test_recipe.py": (
        "methods.forwards",
        "methods.reconstructors",
        "methods.sources",
        "methods.terms",
    ),
    "transport/test_migrations.py": ("models.inference",),
    "transport/test_prepared.py": (
        "optimisation.loading",
        "optimisation.precision",
        "preparation.domains",
        "preparation.levels",
        "preparation.notes",
        "estimates.first_look",
    ),
    "transport/test_symmetry.py": (
        "preparation.site",
        "sources.unpaired",
    ),
    "transport/test_kernel.py": (
        "forward.start",
        "forward.network",
    ),
    "transport/test_axial.py": (
        "forward.own",
        "forward.physics",
    ),
    "transport/test_masked.py": (
        "forward.none",
        "sources.one_domain",
        "sources.repeated",
        "sources.single",
    ),
    "transport/test_judge.py": (
        "heldout.iterations",
        "objective.remeasured",
        "sources.split",
    ),
    "transport/test_settling.py": ("heldout.misfit",),
    "transport/test_saliency.py": (
        "content.content",
        "content.domain_thresholds",
    ),
    "transport/test_trainer.py": (
        "monitoring.current_model",
        "monitoring.events",
        "monitoring.preview",
        "objective.adversarial",
        "objective.kernel",
        "objective.term",
        "optimisation.engine",
        "sources.source",
        "training.parts",
        "objective.cycles",
        "training.checkpoint",
        "transport.assembly",
    ),
    "transport/test_folder.py": (
        "models.model",
        "models.snapshot",
    ),
    "restoration/test_familiarity.py": ("preparation.appearance",),
    "trust/test_evidence.py": (
        "trust.levels",
        "trust.evidence_operator",
        "trust.repeats",
        "trust.report",
    ),
    "cli/test_train_cli.py": (
        "monitoring.notices",
        "tasks.train",
    ),
    "widgets/test_restore_widget.py": ("tasks.restore_request",),
    "widgets/test_train_request.py": ("tasks.sharp_set",),
    "widgets/test_transform_widget.py": ("tasks.transform_request",),
    "test_demo.py": (
        "tasks.demo_result",
        "tasks.report",
    ),
    "reconstructors/test_plain.py": (
        "reconstructors.network",
        "reconstructors.reconstructor",
    ),
    "transport/test_processes.py": ("optimisation.processes",),
    "export/test_bioimageio.py": (
        "methods.references",
        "export.comparison",
        "export.estimate",
        "export.foreign",
        "export.module",
        "export.networks",
        "export.onnx",
        "export.world",
    ),
}
PLACE = {module: file for file, modules in WITHIN.items() for module in modules}
SOURCES = rooms.sources()
GRAPH = rooms.imports(SOURCES)


def engine() -> list[str]:
    """Return the modules of the engine, by their names within the package."""
    names = (n.removeprefix("napari_blurgan.") for n in SOURCES if "." in n)
    packages = {n.rpartition(".")[0] for n in SOURCES}
    return sorted(
        name
        for name in names
        if name.split(".")[0] not in (*DOORS, "__main__")
        and f"napari_blurgan.{name}" not in packages
    )


def reached(file: Path) -> set[str]:
    """Return the modules that a test file imports, and all that these import."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    todo = [
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for name in (node.module, *(f"{node.module}.{a.name}" for a in node.names))
        if name in GRAPH
    ]
    found: set[str] = set()
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo.extend(GRAPH[name])
    return found


def named(module: str) -> list[Path]:
    """Return the test files of a module's name that use it."""
    name = module.rpartition(".")[2].lstrip("_")
    files = TESTS.rglob(f"test_{name}.py")
    return [f for f in files if f"napari_blurgan.{module}" in reached(f)]


@pytest.mark.parametrize("module", engine())
def test_a_module_has_a_test_file_or_a_place(module: str) -> None:
    assert named(module) or module in PLACE


def test_a_new_module_brings_a_file_of_its_own() -> None:
    """The table may become shorter, not longer."""
    assert len(PLACE) <= 83


# Kinds are imported when a recipe names them, tasks when a command runs.
LATE = ("export", "forward", "objective", "optimisation", "preparation", "sources")
COMMANDS = "cli/"


@pytest.mark.parametrize("file", WITHIN)
def test_the_place_uses_the_modules(file: str) -> None:
    found = reached(TESTS / file)
    for module in WITHIN[file]:
        assert module in engine()
        late = module.split(".")[0] in LATE or file.startswith(COMMANDS)
        assert late or f"napari_blurgan.{module}" in found, module
