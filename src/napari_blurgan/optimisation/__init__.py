"""One optimisation step, on one process or several, reproducible from one seed."""
