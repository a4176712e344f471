"""``python -m napari_blurgan`` is the `blurgan` command."""

from napari_blurgan.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
