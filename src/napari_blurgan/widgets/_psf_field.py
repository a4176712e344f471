"""`PsfField`: any image layer, or a file, as a PSF."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox
from napari.utils.notifications import show_error, show_info
from qtpy.QtWidgets import QFileDialog

from napari_blurgan.data.stack import Stack
from napari_blurgan.errors import BlurGANError, OpticsError
from napari_blurgan.optics import psf_file
from napari_blurgan.optics.psf import Psf
from napari_blurgan.widgets._layers import stack_layer
from napari_blurgan.widgets._psf_layers import add_psf, offered_psfs

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

__all__ = ["PsfField"]

OTHER, FILE = "— other layers —", "file…"
ENDINGS = "PSF (*.tif *.tiff *.lsm *.stk);;All files (*)"


class PsfField(ComboBox):
    """A choice among PSFs, all other images, and files on disk.

    PSFs made by the plugin come first. A file is opened as a layer next to the image
    that it blurs, so that it is visible.

    Parameters
    ----------
    viewer : napari viewer
        Whose layers are offered.
    source : callable
        Returns the layer that the PSF blurs, or None.
    name, label, tooltip : str
        Of the field.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        source: Callable[[], Image | None],
        *,
        name: str = "psf",
        label: str = "PSF",
        tooltip: str,
    ) -> None:
        self._viewer = viewer
        self._source = source
        self._last: Any = None
        self._resetting = False
        super().__init__(
            name=name,
            label=label,
            tooltip=f"{tooltip}\nAny image layer or file can be used",
            nullable=True,
            choices=self._offered,
        )

    def prefer_ours(self) -> None:
        """Choose the newest PSF made by the plugin if nothing is chosen."""
        psfs, _ = offered_psfs(self._viewer.layers)
        if self._last is None and psfs:
            self.value = psfs[-1]

    def reset_choices(self, *args: Any) -> None:
        """Follow the viewer's layers, in their order, and keep the choice."""
        chosen = self._last
        self._resetting = True
        self.native.clear()  # magicgui would append new entries
        super().reset_choices(*args)
        row = self.native.findText(OTHER)
        if row >= 0:
            self.native.model().item(row).setEnabled(False)
        self.value = chosen if chosen in self.choices else None
        self._resetting = False
        if self.get_value() is not chosen:
            self._on_value_change(None)

    def _offered(self, widget: object) -> list[tuple[str, Any]]:
        psfs, others = offered_psfs(self._viewer.layers)
        named = [(layer.name, layer) for layer in (*psfs, *others)]
        if others:
            named.insert(len(psfs), (OTHER, OTHER))
        return [*named, (FILE, FILE)]

    def _on_value_change(self, value: Any = None) -> None:
        """Open a file if the entry for it is chosen."""
        if self._resetting:
            return
        if value == FILE:
            self._resetting = True
            self.value = self._last
            self._resetting = False
            self._ask()
            return
        self._last = value
        super()._on_value_change(value)

    def _ask(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self.native, "PSF", "", ENDINGS)
        if chosen:
            self.open_file(Path(chosen))

    def open_file(self, path: Path) -> None:
        """Open a PSF as a layer and choose it; errors are shown."""
        try:
            self.value = self._opened(path)
        except BlurGANError as error:
            show_error(str(error))

    def _opened(self, path: Path) -> Image:
        source = self._source()
        if source is None:
            raise OpticsError("choose the image first; its PSF is shown beside it")
        data, (z, y, x), provenance = psf_file.read(path)
        for note in provenance.get(psf_file.NOTES, ()):
            show_info(f"{path.name}: {note}")
        if z is None or y is None or x is None:
            return self._without_size(Stack(data, "ZYX", (z, y, x), f"PSF {path.name}"))
        try:
            psf = Psf(data, (z, y, x), provenance)
        except OpticsError as error:
            raise OpticsError(f"{path}: {error}") from error
        layer = add_psf(self._viewer, psf, source)
        layer.name = f"PSF {path.name}"
        return layer

    def _without_size(self, stack: Stack) -> Image:
        """Add a layer that is hidden until its widget has asked for its voxel size."""
        data, attributes, _ = stack_layer(stack, visible=False)
        return self._viewer.add_image(data, **attributes)
