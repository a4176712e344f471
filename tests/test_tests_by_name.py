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
    # methods of deconvolution, each run by every test of methods
    "classical/test_methods.py": (
        *("classical.accelerated", "classical.blind", "classical.total_variation"),
        *("inverse.iteration", "inverse.run", "inverse.steps", "inverse.blur"),
    ),
    "classical/test_exactness.py": ("classical.wiener",),
    "classical/test_stopping.py": (
        *("classical.gradient_consensus", "inverse.observation"),
    ),
    "classical/test_odd_images.py": (
        *("classical.images", "inverse.frame", "inverse.result"),
    ),
    "classical/test_light.py": ("inverse.far_light", "inverse.psf_fit"),
    "classical/test_plan.py": (
        *("classical.deconvolution_operator", "classical.memory"),
        *("classical.references",),
    ),
    # a deprecated place of names, kept for those who import from it
    "test_public.py": (
        *("classical.psf_fit", "checks", "errors", "models.provenance", "provenance"),
        *("sampling.shared_images", "writing.ome_tiff"),
    ),
    "headers/test_limits.py": ("memory",),
    # from a header to a voxel size
    "data/test_voxels.py": (
        *("headers.ome_xml", "headers.tiff_facts", "headers.units"),
        *("writing.ome_metadata",),
    ),
    "data/test_tiff_checks.py": ("headers.inflation", "reading.tiff"),
    "data/test_zarr_array.py": ("headers.ngff", "reading.shards"),
    "data/test_ome_zarr.py": ("writing.omero", "writing.facts", "writing.saving"),
    "data/test_conversion.py": ("data.layers",),
    "data/test_held_out.py": (*("data.colour", "data.regions", "data.view"),),
    "restoration/test_sinks.py": ("data.stack",),
    "restoration/test_full_disk.py": ("writing.lock",),
    "restoration/test_predict.py": (
        *("restoration.events", "restoration.run", "tiling.layout"),
        *("tiling.memory", "tiling.operator", "tiling.tile_runner", "interruption"),
    ),
    "restoration/test_presets.py": ("models.network_operator",),
    "measure/test_resolution.py": ("measure.decorrelation",),
    "networks/test_generators.py": (
        *("networks.layers", "networks.norm", "networks.receptive"),
        *("networks.resnet", "networks.unet"),
    ),
    "optics/test_models.py": (
        *("optics.diffraction.integrals", "optics.diffraction.modality"),
        *("optics.diffraction.parameters", "optics.diffraction.volumes"),
        *("optics.diffraction.voxels", "optics.models.theoretical"),
    ),
    "optics/test_phantoms.py": (
        *(
            "optics.phantoms._beads",
            "optics.phantoms._filaments",
            "optics.phantoms._grid",
        ),
        *("optics.phantoms._nuclei", "optics.phantoms._sheets"),
        *("optics.phantoms._shells",),
    ),
    "optics/test_stained_cells.py": ("optics.phantoms._stain",),
    "optics/test_camera.py": ("optics.simulation",),
    "optics/test_psf.py": ("optics.geometry",),
    "optics/test_forward.py": ("optics.fourier",),
    "optics/test_psf_file.py": ("optics.order",),
    "optics/test_beads.py": ("identification.gaussian_fit",),
    "optics/test_spectral.py": (
        *("identification.identify", "identification.spectra"),
    ),
    # a recipe and its parts
    "transport/test_recipe.py": (
        *("methods.forwards", "methods.reconstructors", "methods.sources"),
        *("methods.terms",),
    ),
    "transport/test_version_one.py": ("methods.migrations", "models.inference"),
    # what is prepared, for every preset
    "transport/test_preparing.py": (
        *("optimisation.loading", "optimisation.precision", "optimisation.prepared"),
        *("preparation.domains", "preparation.levels", "preparation.notes"),
        *("estimates.first_look",),
    ),
    "transport/test_symmetry.py": ("preparation.site", "sources.unpaired"),
    "transport/test_kernel.py": ("forward.start", "forward.network"),
    "transport/test_axial.py": ("forward.own", "forward.physics"),
    "transport/test_denoising.py": (
        *("forward.none", "sources.one_domain", "sources.repeated", "sources.single"),
        *("objective.masked",),
    ),
    "transport/test_self_supervised.py": (
        *("estimates.iterations", "estimates.judge", "estimates.projected"),
        *("objective.remeasured", "sources.split"),
    ),
    "transport/test_settling.py": ("estimates.background", "estimates.misfit"),
    "transport/test_saliency.py": (
        *("content.content", "content.domain_thresholds"),
        *("content.threshold", "monitoring.content_probe"),
    ),
    # the loop and all that it reports and keeps, for every preset
    "transport/test_trainer.py": (
        *("monitoring.current_model", "monitoring.events", "monitoring.preview"),
        *("objective.adversarial", "objective.kernel", "objective.term"),
        *("optimisation.engine", "sources.source", "training.parts"),
        *("objective.cycles", "training.checkpoint", "transport.assembly"),
    ),
    "transport/test_disk.py": ("models.folder", "models.model", "models.snapshot"),
    "transport/test_untrusted.py": ("models.schema",),
    "restoration/test_familiarity.py": ("preparation.appearance",),
    # evidence maps
    "trust/test_evidence.py": (
        *("trust.expectation", "trust.levels", "trust.operator", "trust.repeats"),
        *("trust.report", "trust.smoothing", "trust.support"),
    ),
    # what the doors ask for
    "cli/test_deconvolve_cli.py": ("tasks.deconvolve", "tasks.background"),
    "cli/test_restore_cli.py": ("tasks.restore",),
    "cli/test_train_cli.py": ("monitoring.notices", "tasks.train"),
    "widgets/test_restore_widget.py": ("tasks.restore_request",),
    "widgets/test_training_request.py": ("tasks.sharp_set", "tasks.train_request"),
    "widgets/test_transform_widget.py": ("tasks.transform_request",),
    "test_demo.py": ("tasks.demo_result", "tasks.report"),
    "reconstructors/test_plain.py": (
        *("reconstructors.network", "reconstructors.reconstructor"),
    ),
    "transport/test_picking.py": ("content.histogram",),
    "transport/test_processes.py": ("optimisation.processes",),
    "data/test_acquisition.py": ("writing.imagej",),
    "cli/test_split_cli.py": ("data.pairs",),
    "export/test_export.py": (
        *("methods.references",),
        *("export.bioimageio", "export.comparison", "export.estimate"),
        *("export.foreign", "export.module", "export.networks", "export.onnx"),
        *("export.world",),
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
    assert len(PLACE) <= 162


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
