"""Files of microscope vendors: Nikon ND2, Zeiss CZI, Leica LIF, Olympus OIF and OIB."""
