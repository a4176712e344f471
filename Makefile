.PHONY: setup demo check test fuzz lint style types quick napari bench bench-papers bench-utom docs docs-site screenshots

BIN := .venv/bin
# A virtual screen, so that real napari runs where there is none.
SCREEN := xvfb-run -a -s "-screen 0 1600x1000x24 +extension GLX +render -noreset"
# Tests with one of the Qt bindings: what a person does is done with both. Each core has
# a process of its own, of one thread.
WORKERS := $(shell n=$$(env -u OMP_NUM_THREADS nproc 2>/dev/null || echo 2); echo $$((n > 8 ? 8 : n)))
on = QT_API=$(1) PYTEST_QT_API=$(1) QT_QPA_PLATFORM=offscreen OMP_WAIT_POLICY=PASSIVE \
	OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 \
	$(SCREEN) $(BIN)/pytest --numprocesses $(WORKERS) --dist worksteal
# Left out of `make check` are folders of whole trainings, commands, windows and files of
# any size, and what takes more than a second or two of CPU each: `make test` runs them.
LONG := classical cli export fuzz restoration support transport widgets
QUICK := $(filter-out $(LONG:%=tests/%/),$(wildcard tests/*/)) \
	tests/test_architecture.py tests/test_architecture_docs.py tests/test_benchmarks.py \
	tests/test_checks.py tests/test_errors.py tests/test_links.py tests/test_package.py \
	tests/test_papers.py tests/test_reference.py \
	tests/test_tests_by_name.py tests/transport/test_recipe.py \
	tests/transport/test_photons.py tests/cli/test_strict.py

setup:
	@./scripts/setup

demo: setup
	$(BIN)/blurgan demo --out blurgan-demo

style:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy

quick:
	$(call on,pyqt6) -m "not slow" $(QUICK)

lint: setup style types

# A minute, before each commit: linters, types and quick tests side by side. The first
# run takes mypy two minutes, which then keeps what it found.
check: setup
	@$(MAKE) --no-print-directory --jobs 3 --output-sync=target style types quick

test: lint
	$(call on,pyqt6)
	$(call on,pyside6) -m person tests/widgets

# 20,000 damaged files over all readers: 6 minutes on one core.
fuzz: setup
	$(BIN)/python -m tests.fuzz.campaign --count 20000 --write

napari: setup
	$(BIN)/napari

bench: setup
	$(BIN)/python -m benchmarks.speed.train_step

# Hours on one core; stops and goes on as you like. SCALE=gpu DEVICE=cuda on a GPU.
SCALE := cpu
DEVICE := cpu
papers = $(BIN)/python -m benchmarks.claims.papers --scale $(SCALE) --device $(DEVICE) --rows
ONE := --truth gibson-lanni --seeds 0 1 2
WASSERSTEIN := discriminator.loss=wgan-gp discriminator.steps=5 optimiser.betas=[0.5,0.9]
bench-papers: setup
	$(papers) input rl half nonblind blind supervised cyclegan $(ONE) --wavelengths 500 400 600
	$(papers) input rl half nonblind blind $(ONE) --wavelength 610 --wavelengths 610
	$(papers) blind-two-discriminators $(ONE)
	$(papers) nonblind blind-two-discriminators $(ONE) --set $(WASSERSTEIN)
	$(papers) nonblind $(ONE) --set $(WASSERSTEIN) cycle_power=1 terms.cycle_x=0.5 \
		terms.cycle_y=0.5 reconstructor.kind=plain
	$(papers) black input wiener rl rl-610nm --seeds 0 1 2
	$(papers) nonblind --seeds 0 1 2 --wavelengths 500 400 600 610
	$(papers) rl nonblind --seeds 0 1 2 --first 7000
	$(papers) nonblind --seeds 0 1 2 --steps 2500
	$(papers) nonblind-as-published blind-as-published
	$(papers) rl-610nm blind-from-610nm $(ONE)
	$(papers) blind blind-from-610nm blind-from-gaussian --truth gibson-lanni --steps 2000
	$(BIN)/python -m benchmarks.claims.papers_report

# Table 1 of the UTOM paper; DATA is the folder of the real images.
bench-utom: setup
	$(BIN)/python -m benchmarks.claims.utom_table1 --data $(DATA) \
		--tasks cells isotropic labelling frames actin
	$(BIN)/python -m benchmarks.claims.utom_studies --study images
	$(BIN)/python -m benchmarks.claims.utom_studies --study weight

docs: setup
	$(BIN)/python scripts/make_docs.py

# The documentation as a site, in build/site; a warning is an error.
docs-site: setup
	$(BIN)/python -m pip install -q --group docs
	$(BIN)/mkdocs build --strict

# Half an hour; each script in a home of its own, so that nothing is known from before.
screenshots: setup
	for scene in screenshots screenshots_clicks screenshots_utom screenshots_tutorial; do \
		HOME=$$(mktemp -d) QT_QPA_PLATFORM=xcb $(SCREEN) $(BIN)/python scripts/$$scene.py || exit 1; done
