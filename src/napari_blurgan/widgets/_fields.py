"""The fields of the widgets, each with its tooltip."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox, FloatSpinBox, LineEdit, SpinBox

from napari_blurgan.widgets._forms import Form, Known
from napari_blurgan.widgets._layers import METADATA_KEY

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_blurgan.classical.methods import Parameter
    from napari_blurgan.data.stack import Stack
    from napari_blurgan.optics.models import Optics

__all__ = [
    "ALL",
    "LAYERED",
    "OpticsForm",
    "advanced_form",
    "axes_field",
    "camera_form",
    "changes_field",
    "changes_of",
    "chosen_frame",
    "device_field",
    "frame_fields",
    "offer_frames",
    "optics_of",
    "parameter_fields",
    "psf_form",
    "seed_field",
    "training_form",
]

LAYERED = ("vectorial", "gibson-lanni")
"""Models that include coverslip, sample and depth."""
PSF_MODELS = ("vectorial", "gibson-lanni", "born-wolf", "gaussian")
DEVICES = ("auto", "cpu", "cuda", "mps")
ALL = -1
EVERY = "all"


class OpticsForm(Known):
    """NA, refractive index and wavelength, if they are known."""

    def __init__(self) -> None:
        super().__init__(
            "Optics known",
            "Tick if you know the objective and the fluorophore: learning starts from "
            "their PSF. Otherwise the PSF is estimated from the images alone.",
            *_optics_fields(),
        )
        self._said = False
        """Whether the values come from a layer, not from the user."""

    def optics(self) -> Optics | None:
        """Return the optics, or None if they are unknown."""
        from napari_blurgan.optics.models import Optics

        return Optics(**self.fields.values()) if self.isChecked() else None

    def take_from(self, layers: Sequence[Image]) -> None:
        """Fill in the optics of layers: those of the first that has any.

        Optics of another layer no longer count; values entered by the user stay.
        """
        said = (layer.metadata.get(METADATA_KEY, {}).get("optics") for layer in layers)
        known = next(filter(None, said), None)
        if known:
            self.fields.update_values({k: known[k] for k in ("na", "ni", "wavelength")})
            self.setChecked(True)
        elif self._said and layers:
            self.setChecked(False)
        if layers:
            self._said = bool(known)


def psf_form(layers: Callable[[Any], Any], points: Callable[[Any], Any]) -> Form:
    """Return the fields from which a PSF is computed or measured."""
    return Form(
        ComboBox(
            name="layer", label="Layer", choices=layers, nullable=True,
            tooltip="Layer whose voxel size the PSF gets; or an image of beads",
        ),
        *frame_fields(),
        ComboBox(
            name="model", label="Model", choices=PSF_MODELS, value="vectorial",
            tooltip=(
                "vectorial: exact for high apertures; gibson-lanni: scalar, with "
                "coverslip and depth; born-wolf: paraxial; gaussian: the coarsest "
                "approximation"
            ),
        ),
        *_optics_fields(),
        ComboBox(
            name="modality", label="Modality",
            choices=("widefield", "confocal", "lightsheet"),
            tooltip="Type of microscope",
        ),
        FloatSpinBox(
            name="excitation", label="Excitation (nm)", value=488, min=200, max=2000,
            step=1, tooltip="Excitation wavelength; for confocal",
        ),
        FloatSpinBox(
            name="pinhole", label="Pinhole (Airy)", value=1, min=0.1, max=20, step=0.1,
            tooltip="Diameter of the pinhole in Airy units; for confocal",
        ),
        FloatSpinBox(
            name="sheet", label="Sheet (µm)", value=2, min=0.1, max=100, step=0.1,
            tooltip="Full width at half maximum of the light sheet",
        ),
        FloatSpinBox(
            name="ns", label="Sample index", value=1.33, min=1, max=2.4, step=0.001,
            tooltip="Refractive index of the sample; matters below the coverslip",
        ),
        FloatSpinBox(
            name="depth", label="Depth (µm)", value=0, min=0, max=1000, step=1,
            tooltip="Of the object below the coverslip; 0 for none of its aberration",
        ),
        FloatSpinBox(
            name="bead", label="Bead (nm)", value=100, min=0, max=5000, step=10,
            tooltip="Diameter of the beads, for a PSF from beads",
        ),
        ComboBox(
            name="points", label="Take beads", choices=points,
            tooltip=(
                "All beads that are found, or only those next to the points of a "
                "layer; "
                "Click beads makes one"
            ),
        ),
    )  # fmt: skip


def optics_of(values: Mapping[str, Any]) -> Optics:
    """Return the optics that the fields of `psf_form` describe."""
    from napari_blurgan.optics.models import Optics

    known = {name: values[name] for name in ("na", "ni", "wavelength", "modality")}
    if values["modality"] == "confocal":
        known |= {name: values[name] for name in ("excitation", "pinhole")}
    if values["modality"] == "lightsheet":
        known["sheet_thickness"] = values["sheet"]
    if values["depth"] > 0 and values["model"] in LAYERED:
        known |= {name: values[name] for name in ("ns", "depth")}
    return Optics(**known)


def _optics_fields() -> list[Any]:
    return [
        FloatSpinBox(
            name="na", label="NA", value=1.4, min=0.05, max=1.7, step=0.05,
            tooltip="Numerical aperture, engraved on the objective",
        ),
        FloatSpinBox(
            name="ni", label="Immersion index", value=1.515, min=1, max=2.4, step=0.001,
            tooltip="Refractive index: oil 1.515, glycerol 1.47, water 1.333, air 1",
        ),
        FloatSpinBox(
            name="wavelength", label="Emission (nm)", value=525, min=200, max=2000,
            step=5, tooltip="Peak wavelength of the detected light",
        ),
    ]  # fmt: skip


def frame_fields() -> list[Any]:
    """Return the choices of one channel and one time point, for `offer_frames`."""
    return [
        ComboBox(
            name=name, label=label, choices=[EVERY],
            tooltip=f"The only {label.lower()} to work on, counted from 0",
        )
        for name, label in (("channel", "Channel"), ("time", "Time point"))
    ]  # fmt: skip


def offer_frames(form: Form, stack: Stack | None) -> None:
    """Offer the channels and time points of a stack; hide choices it does not have."""
    channels = 1 if stack is None else stack.channels
    times = 1 if stack is None else stack.size("T")
    for name, size in (("channel", channels), ("time", times)):
        form[name].choices = [EVERY, *range(size)] if size > 1 else [EVERY]
        form.set_visible(name, size > 1)


def chosen_frame(form: Form) -> dict[str, int | None]:
    """Return the chosen channel and time point; None for all."""
    values = {name: form[name].value for name in ("channel", "time")}
    return {name: None if v == EVERY else v for name, v in values.items()}


def camera_form() -> Known:
    """Return the camera parameters, for methods that count photo-electrons."""
    return Known(
        "Camera known",
        "Tick to deconvolve in photo-electrons: sharper, and some methods and stopping "
        "rules need it. The values are in the data sheet of the camera",
        FloatSpinBox(
            name="gain", label="Gain", value=1, min=0.001, max=1e4, step=0.01,
            tooltip="Grey levels per photo-electron",
        ),
        FloatSpinBox(
            name="offset", label="Offset", value=100, min=0, max=1e5, step=1,
            tooltip="Grey level of the camera in the dark",
        ),
        FloatSpinBox(
            name="read_noise", label="Read noise (e)", value=1.5, min=0, max=1e3,
            step=0.1, tooltip="Standard deviation of the read noise in electrons",
        ),
    )  # fmt: skip


def parameter_fields(parameters: Iterable[Parameter]) -> list[Any]:
    """Return a field for each numeric parameter of a method of deconvolution."""
    kinds = {int: SpinBox, float: FloatSpinBox}
    return [
        kinds[type(p.default)](
            name=p.name,
            label=p.name.capitalize(),
            value=p.default,
            min=p.minimum,
            max=p.maximum,
            step=_step(p.default),
            tooltip=p.help,
        )
        for p in parameters
    ]


def _step(default: float) -> float:
    """Return a tenth of the magnitude of a number, or one for whole numbers."""
    return 1 if isinstance(default, int) else 10 ** math.floor(math.log10(default / 2))


def axes_field() -> LineEdit:
    """Return the field for axes that layers do not name."""
    return LineEdit(
        name="axes", label="Axes", value="",
        tooltip=(
            "One letter per axis, such as TZYX, if the labels of the layers are "
            "missing or wrong; empty to use the labels"
        ),
    )  # fmt: skip


def device_field(device: str) -> ComboBox:
    """Return the choice of a device."""
    return ComboBox(
        name="device", label="Device", choices=DEVICES, value=device,
        tooltip="Device for computing; auto uses a GPU if there is one",
    )  # fmt: skip


def training_form(presets: dict[str, str]) -> Form:
    """Return the few fields that every training needs."""
    summaries = "\n".join(f"{name}: {words}" for name, words in presets.items())
    return Form(
        ComboBox(
            name="preset", label="Recipe", choices=list(presets), value="blind",
            tooltip=f"What is learned:\n{summaries}",
        ),
        FloatSpinBox(
            name="minutes", label="Minutes", value=10, min=0.1, max=10_000, step=1,
            tooltip="Time from Start on; Stop ends earlier and keeps the model",
        ),
    )  # fmt: skip


def advanced_form(device: str, psf: Any) -> Form:
    """Return the fields that most trainings leave unchanged, with that of the PSF."""
    channel = SpinBox(
        name="channel", label="Channel", value=ALL, min=ALL, max=99,
        tooltip="Channel to learn from, counted from 0",
    )  # fmt: skip
    channel.native.setSpecialValueText("all")
    return Form(
        axes_field(),
        channel,
        psf,
        device_field(device),
        seed_field(),
        changes_field("sampling.patch=48 weights.spectral=1.0"),
    )  # fmt: skip


def seed_field() -> SpinBox:
    """Return the field of the seed of a training."""
    return SpinBox(
        name="seed", label="Seed", value=0, max=2**31 - 1,
        tooltip="The same seed on the same machine gives the same model",
    )  # fmt: skip


def changes_field(example: str) -> LineEdit:
    """Return the field for `changes_of`, with an example."""
    return LineEdit(
        name="changes", label="Recipe changes", value="",
        tooltip=f"Fields of the recipe to replace, such as\n{example}",
    )  # fmt: skip


def changes_of(text: str) -> dict[str, Any]:
    """Return ``"a.b=1 c=x"`` as a dictionary, the values read as YAML."""
    from napari_blurgan.methods.changes import parse_changes

    expected = "recipe changes: expected name=value"
    return parse_changes(text.split(), expected, "the recipe change")
