"""Make the sample stacks that ship with the package from their sources.

    python scripts/make_samples.py xyzc_16bit__dna_conf_wf.tif \
        yeast_3d_mitochondria.ome.tif src/napari_blurgan/samples

Pixels are not changed: the DNA pair is kept whole, of the yeast movie the two cells at
the first time point. The README beside the samples says where the sources come from.
"""

import argparse
from pathlib import Path

from napari_blurgan.reading.images import read_stack
from napari_blurgan.writing.ome_tiff import write_ome_tiff

DNA = {
    "title": "Nucleus stained with Hoechst, confocal and widefield",
    "credit": "Copyright NEUBIAS, training-resources",
    "source": "https://github.com/NEUBIAS/training-resources "
    "image_data/xyzc_16bit__dna_conf_wf.tif, commit 8bbaa51d4df0",
    "licence": "CC BY 4.0",
    "changes": "saved as OME-TIFF, pixels unchanged; channels named",
    "optics": {
        "objective": "C-Apochromat 40x/1.2 W",
        "na": 1.2,
        "ni": 1.333,
        "excitation": 405,
        "emission": [415, 495],
        "pinhole": 1.24,
    },
}
YEAST = {
    "title": "Mitochondria of living yeast",
    "credit": "A. E. Y. T. Lefebvre, Nellie 1.0.4",
    "source": "https://pypi.org/project/nellie/1.0.4 "
    "sample_data/yeast_3d_mitochondria.ome.tif",
    "licence": "CC BY 4.0",
    "changes": "first time point, cropped to y 48:160, x 40:216; pixels unchanged",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("dna", type=Path)
    parser.add_argument("yeast", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    dna = read_stack(options.dna)
    names = ("confocal", "widefield")
    path = options.out / "dna.ome.tif"
    write_ome_tiff(path, dna.data[:], dna.axes, dna.voxel_size, names, DNA)
    yeast = read_stack(options.yeast)
    path = options.out / "yeast.ome.tif"
    cells = yeast.data[0, :, 48:160, 40:216]
    write_ome_tiff(path, cells, "ZYX", yeast.voxel_size, (), YEAST)


if __name__ == "__main__":
    main()
